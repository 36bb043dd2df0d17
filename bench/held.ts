import { SLICES } from './duel.ts';
import { load, SERVER_CORE } from './machine.ts';
import { report, wanted } from './report.ts';
import { addressOf, begin, beginUpstream, IMAGE, oursOf, serveArgs } from './servers.ts';

/** Warm hits and first draws, while each second cold badges of CIs that answer 5 MiB and 500 kB, or hang, are asked for. */
export async function compareHeld(): Promise<void> {
  if (!wanted('event loop held')) return;
  const ours = oursOf('held', {
    ci: await beginUpstream(2_000),
    large: await beginUpstream(500_000, 0, 'list'),
    huge: await beginUpstream(5_200_000, 0, 'list'),
    hanging: await beginUpstream(2_000, 5_000),
  });
  const address = addressOf(ours.port);
  const [flag = '', , , file = ''] = serveArgs(ours);
  const image = `${address}${IMAGE}&source=ci&$ApplicationName=web`;
  await begin(SERVER_CORE, [flag, 'bench/loop.ts', file], image);
  const mix = [{ url: image }, { url: `${image}&label=n%d`, distinct: 0 }];
  const p99: number[] = [];
  const without: number[] = [];
  const longest: number[] = [];
  const share: number[] = [];
  for (let slice = 0; slice <= SLICES; slice += 1) {
    await heldSince(address);
    const [quiet] = await load(mix, { connections: 8 });
    const before = await heldSince(address);
    const cold = ['huge', 'large', 'large', 'hanging', 'hanging'].map(async (source, index) => {
      const answer = await fetch(`${address}${IMAGE}&source=${source}&$ApplicationName=s${slice}-${index}`);
      const state = answer.headers.get('badge-state');
      if (state !== (source === 'hanging' ? 'unknown' : 'success')) throw new Error(`${source}: ${state}`);
    });
    const [loaded] = await load(mix, { connections: 8 });
    const held = await heldSince(address);
    await Promise.all(cold);
    if (slice === 0) continue; // warms up
    p99.push(held.p99);
    without.push(before.p99);
    longest.push(held.longest);
    share.push((loaded?.perSecond ?? 0) / (quiet?.perSecond ?? 1));
  }
  report('event loop held, mixed load with 6 MB of cold answers a second: p99', p99, 'ms', '<= 10');
  report('the same without cold answers', without, 'ms');
  report('the longest', longest, 'ms');
  report('warm hits meanwhile', share, 'x those without');
}

/** For how long the event loop was held since it was last asked, in milliseconds. */
async function heldSince(address: string): Promise<{ p99: number; longest: number }> {
  return (await (await fetch(`${address}/held`)).json()) as { p99: number; longest: number };
}
