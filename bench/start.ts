import { SLICES } from './duel.ts';
import { SERVER_CORE, start } from './machine.ts';
import { report, wanted } from './report.ts';
import { addressOf, IMAGE, nextPort, type Ours, serveArgs } from './servers.ts';

/** From the start of a process to its first badge, beside the bare server's. */
export async function compareStart(name: string, ours: Ours, goal = ''): Promise<void> {
  if (!wanted(name)) return;
  const limitPort = nextPort();
  const ratios: number[] = [];
  for (let run = 0; run <= SLICES; run += 1) {
    const bareMs = await timeToFirst(['bench/limit.ts', String(limitPort)], `${addressOf(limitPort)}/`);
    const oursMs = await timeToFirst(serveArgs(ours), `${addressOf(ours.port)}${IMAGE}&$ApplicationName=web`);
    // The first start compiles what later ones find compiled.
    if (run > 0) ratios.push(oursMs / bareMs);
  }
  report(name, ratios, 'x bare start', goal);
}

async function timeToFirst(args: readonly string[], ready: string): Promise<number> {
  const startedAt = performance.now();
  const one = await start(SERVER_CORE, args, ready);
  const tookMs = performance.now() - startedAt;
  await one.stop();
  return tookMs;
}
