import { duel, sameFor } from './duel.ts';
import { load, type Target } from './machine.ts';
import { wanted } from './report.ts';
import { beginOurs, IMAGE, oursOf } from './servers.ts';
import { compareStart } from './start.ts';

const MOST = '100,000 warm badges against 1,000';

/** Warm hits of 1, 1,000 and 100,000 badges, each asked for in turn, beside the limit; and the most beside the middle. */
export async function compareBadges(upstream: string, limit: string): Promise<void> {
  if (!wanted('growth: badges') && !wanted(MOST)) return;
  const targets: Target[] = [];
  for (const count of [1, 1_000, 100_000]) {
    const address = await beginOurs(oursOf(`badges-${count}`, { ci: upstream }));
    const target = { url: `${address}${IMAGE}&source=ci&$ApplicationName=web&label=l%d`, distinct: count };
    // Long enough to come past those that are warm already.
    while ((await warmAnswers(address)) < count) await load([target], { seconds: Math.ceil(1 + count / 5_000) });
    await duel(`growth: badges, warm hits of ${count}`, target, sameFor(target, limit));
    targets.push(target);
  }
  const [, middle, most] = targets;
  if (middle && most) await duel(MOST, most, middle, '>= 0.90', 'x those of 1,000');
}

async function warmAnswers(address: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`)).text();
  return Number(/^signalbox_warm_answers (\d+)/m.exec(text)?.[1]);
}

/** Start, warm hits and the full path with 1, 10 and 100 sources, the application's named nowhere: each may have it. */
export async function compareSources(upstream: string, limit: string): Promise<void> {
  if (!wanted('growth: sources')) return;
  for (const count of [1, 10, 100]) {
    const names = Array.from({ length: count }, (_, index) => [`ci-${index}`, upstream]);
    const ours = oursOf(`sources-${count}`, Object.fromEntries(names));
    await compareStart(`growth: sources, start with ${count}`, ours);
    const url = `${await beginOurs(ours)}${IMAGE}&$ApplicationName=web`;
    await duel(`growth: sources, warm hits with ${count}`, { url }, sameFor({ url }, limit));
    const full = { url: `${url}&n=%d`, distinct: 0 };
    await duel(`growth: sources, full path with ${count}`, full, sameFor(full, limit));
  }
}
