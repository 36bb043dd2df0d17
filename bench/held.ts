import { SLICES } from './duel.ts';
import { load, SERVER_CORE } from './machine.ts';
import { report, wanted } from './report.ts';
import { addressOf, begin, beginUpstream, IMAGE, oursOf, serveArgs } from './servers.ts';

/** Warm hits and first draws, while cold badges of CIs that answer 5 MiB, or that hang, are asked for. */
export async function compareHeld(): Promise<void> {
  if (!wanted('event loop held')) return;
  const ours = oursOf('held', {
    ci: await beginUpstream(2_000),
    huge: await beginUpstream(5_200_000, 0, 'list'),
    hanging: await beginUpstream(2_000, 5_000),
  });
  const address = addressOf(ours.port);
  const [flag = '', , , file = ''] = serveArgs(ours);
  const image = `${address}${IMAGE}&source=ci&$ApplicationName=web`;
  await begin(SERVER_CORE, [flag, 'bench/loop.ts', file], image);
  const mix = [{ url: image }, { url: `${image}&label=n%d`, distinct: 0 }];
  const p99: number[] = [];
  const longest: number[] = [];
  const share: number[] = [];
  for (let slice = 0; slice <= SLICES; slice += 1) {
    const [quiet] = await load(mix, { connections: 8 });
    await fetch(`${address}/held`);
    const cold = ['huge', 'huge', 'huge', 'hanging', 'hanging'].map(async (source, index) => {
      const answer = await fetch(`${address}${IMAGE}&source=${source}&$ApplicationName=s${slice}-${index}`);
      const state = answer.headers.get('badge-state');
      if (state !== (source === 'huge' ? 'success' : 'unknown')) throw new Error(`${source}: ${state}`);
    });
    const [loaded] = await load(mix, { connections: 8 });
    const held = (await (await fetch(`${address}/held`)).json()) as { p99: number; longest: number };
    await Promise.all(cold);
    if (slice === 0) continue; // warms up
    p99.push(held.p99);
    longest.push(held.longest);
    share.push((loaded?.perSecond ?? 0) / (quiet?.perSecond ?? 1));
  }
  report('event loop held, mixed load with three answers of 5 MiB a second: p99', p99, 'ms', '<= 10');
  report('the same: longest', longest, 'ms');
  report('the same: warm hits', share, 'x those without');
}
