import { load, type Target } from './machine.ts';
import { report, wanted } from './report.ts';

export const SLICES = 9;
const WARM_UP_SECONDS = 5;

/**
 * Two servers on one core loaded at once with the same requests, slice by slice, so that what else the machine does
 * meets both alike: what the first answers over what the second does.
 */
export async function duel(
  name: string,
  target: Target,
  yardstick: Target,
  goal = '',
  unit = 'x limit',
): Promise<void> {
  if (!wanted(name)) return;
  // Code that is asked so often is compiled anew a few times before it is as fast as it gets.
  await load([target, yardstick], { seconds: WARM_UP_SECONDS });
  const ratios: number[] = [];
  for (let slice = 0; slice < SLICES; slice += 1) {
    const [ours, bare] = await load([target, yardstick]);
    if (!ours || !bare || ours.bad + bare.bad > 0) throw new Error(`${name}: ${ours?.bad} answers were errors`);
    ratios.push(ours.perSecond / bare.perSecond);
  }
  report(name, ratios, unit, goal);
}

/** The same requests, for another server. */
export function sameFor(target: Target, address: string): Target {
  return { ...target, url: address + target.url.slice(new URL(target.url).origin.length) };
}

/** One after the other, because latencies are read. */
export async function compareLatency(name: string, target: Target, yardstick: Target, goal: string): Promise<void> {
  if (!wanted(name)) return;
  const ratios: number[] = [];
  for (let slice = 0; slice < SLICES; slice += 1) {
    const [ours] = await load([target]);
    const [bare] = await load([yardstick]);
    if (ours && bare) ratios.push(ours.p99Ms / bare.p99Ms);
  }
  report(name, ratios, 'x limit', goal);
}
