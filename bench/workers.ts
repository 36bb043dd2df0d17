import { SLICES } from './duel.ts';
import { LOAD_CORE, load, SERVER_CORE } from './machine.ts';
import { report, wanted } from './report.ts';
import { beginOurs, IMAGE, oursOf } from './servers.ts';

const BOTH = `${SERVER_CORE},${LOAD_CORE}`;

/** One process against two workers, in turn. Nothing is pinned: the generator takes its part of both cores. */
export async function compareWorkers(upstream: string): Promise<void> {
  const name = 'two workers on two cores, full path';
  if (!wanted(name)) return;
  const urls: string[] = [];
  for (const count of ['1', '2']) {
    const address = await beginOurs(oursOf(`workers-${count}`, { ci: upstream }), BOTH, 'serve', '--workers', count);
    urls.push(`${address}${IMAGE}&source=ci&$ApplicationName=web&n=%d`);
  }
  const ratios: number[] = [];
  for (let slice = 0; slice <= SLICES; slice += 1) {
    const rates: number[] = [];
    for (const url of urls) {
      const [one] = await load([{ url, distinct: 0 }], { connections: 64, seconds: 2, cores: BOTH });
      rates.push(one?.perSecond ?? 0);
    }
    if (slice > 0) ratios.push((rates[1] ?? 0) / (rates[0] ?? 1));
  }
  report(name, ratios, 'x one worker', '>= 1.6');
}
