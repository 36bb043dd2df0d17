import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { SLICES } from './duel.ts';
import { median, SERVER_CORE } from './machine.ts';
import { report, wanted } from './report.ts';
import { addressOf, begin, IMAGE, nextPort, oursOf, serveArgs } from './servers.ts';

let asked = 0;

/** Where a cold badge is asked for: of us but for the application, of the CI itself, and of the bare server before it. */
export interface ColdServers {
  readonly ours: string;
  readonly upstream: string;
  readonly bare: string;
}

/** One at a time and in turn: the CI itself, the bare server before it, ours before it, each for a name never asked for. */
export async function compareCold(name: string, servers: ColdServers, count: number, goal: string): Promise<void> {
  if (!wanted(name)) return;
  const ratios: number[] = [];
  for (let slice = 0; slice <= SLICES; slice += 1) {
    const times: { direct: number[]; bare: number[]; ours: number[] } = { direct: [], bare: [], ours: [] };
    for (let index = 0; index < count; index += 1) {
      asked += 1;
      times.direct.push(await timeOf(`${servers.upstream}/jobs/${asked}`));
      times.bare.push(await timeOf(`${servers.bare}/jobs/${asked}`));
      times.ours.push(await timeOf(`${servers.ours}${asked}`));
    }
    const direct = median(times.direct);
    // The first slice warms up.
    if (slice > 0) ratios.push((median(times.ours) - direct) / (median(times.bare) - direct));
  }
  report(name, ratios, 'x overhead of the bare cold server', goal);
}

async function timeOf(url: string): Promise<number> {
  const startedAt = performance.now();
  await (await fetch(url)).arrayBuffer();
  return performance.now() - startedAt;
}

const CROWD = 1_000;

/**
 * Many wait for one badge that was never asked for, on connections that are open already. The CI, played here, answers
 * once all of them wait; how long until the last of them has its answer? The bare server asks once for all, too.
 */
export async function compareCrowd(): Promise<void> {
  const name = '1,000 requests waiting for one cold badge';
  if (!wanted(name)) return;
  const held: ServerResponse[] = [];
  const upstream = createServer((_request, response) => held.push(response));
  const port = nextPort();
  await new Promise<void>((listening) => upstream.listen(port, '127.0.0.1', listening));
  const ours = oursOf('crowd', { crowd: addressOf(port) });
  await begin(SERVER_CORE, serveArgs(ours), `${addressOf(ours.port)}/healthz`);
  const barePort = nextPort();
  await begin(SERVER_CORE, ['bench/crowd.ts', String(barePort), addressOf(port)], `${addressOf(barePort)}/ready`);

  /** Upstream requests, answers that were not the badge, and when the last one came. */
  async function gather(to: number, path: string): Promise<[calls: number, wrong: number, lateMs: number]> {
    held.length = 0;
    const sockets = await Promise.all(Array.from({ length: CROWD }, () => open(to)));
    const answers = sockets.map((socket) => answerTo(socket, path));
    while (held.length === 0) await pause(5);
    await pause(500);
    const answeredAt = performance.now();
    for (const response of held) response.setHeader('content-type', 'application/json').end('{"status":"green"}');
    const ends = await Promise.all(answers);
    for (const socket of sockets) socket.destroy();
    const wrong = ends.filter(({ text }) => !text.includes('Badge-State: success')).length;
    return [held.length, wrong, Math.max(...ends.map(({ at }) => at)) - answeredAt];
  }

  const rows: [calls: number, wrong: number, lateMs: number][] = [];
  const bareMs: number[] = [];
  for (let slice = 0; slice <= SLICES; slice += 1) {
    const [, , bare] = await gather(barePort, '/');
    const row = await gather(ours.port, `${IMAGE}&source=crowd&$ApplicationName=crowd${slice}`);
    if (slice === 0) continue; // warms up
    bareMs.push(bare);
    rows.push(row);
  }
  await new Promise((closed) => upstream.close(closed).closeAllConnections());
  report(
    `${name}: upstream requests`,
    rows.map(([calls]) => calls),
    'requests',
    '1',
  );
  report(
    'the same: answers that were not the badge',
    rows.map(([, wrong]) => wrong),
    'answers',
    '0',
  );
  report(
    "the same: the last answer after upstream's",
    rows.map(([, , lateMs]) => lateMs),
    'ms',
    '<= 20',
  );
  report('the same of a bare server that asks once for all', bareMs, 'ms');
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket)).once('error', reject);
  });
}

function answerTo(socket: Socket, path: string): Promise<{ text: string; at: number }> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`);
  return new Promise((resolve) => {
    socket.once('data', (chunk) => resolve({ text: chunk.toString('latin1'), at: performance.now() }));
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
