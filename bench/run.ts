import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillDefinitions } from './definitions.ts';
import { demandTools, folder, load, median, SERVER_CORE, type Started, start, type Target } from './machine.ts';
import { measureMemory } from './memory.ts';

/**
 * Measures the server beside the bare `node:http` limit: both on one core at once, those who load them on the other, so
 * that the machine's drift cancels. Prints medians and ranges of the ratios, and JSON at the end.
 * `run.ts [--command "…"] [--url …]`: another server beside ours.
 */
const SLICES = 7;
const PORTS = {
  ours: 18080,
  limit: 18081,
  upstream: 18082,
  large: 18083,
  cold: 18084,
  coldLarge: 18085,
  slow: 18086,
  other: 18087,
};
const host = `http://127.0.0.1:${PORTS.ours}`;
const limit = `http://127.0.0.1:${PORTS.limit}`;
const image = `${host}/api/ci-badges/image?key=badges&source=ci&$ApplicationName=web`;

interface Row {
  readonly name: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly unit: string;
}
const rows: Row[] = [];

function report(name: string, values: readonly number[], unit = 'x limit'): void {
  const row = { name, median: median(values), low: Math.min(...values), high: Math.max(...values), unit };
  rows.push(row);
  const show = (value: number) => value.toFixed(value < 10 ? 2 : 0);
  process.stdout.write(`| ${name} | ${show(row.median)} | ${show(row.low)}-${show(row.high)} | ${unit} |\n`);
}

/** `--only <text>` measures what has the text in its name. */
function wanted(name: string): boolean {
  const only = process.argv.indexOf('--only');
  return only < 0 || name.includes(process.argv[only + 1] ?? '');
}

/** Ours and the limit at once, slice by slice. */
async function duel(name: string, target: Target, yardstick: Target = { url: `${limit}/` }): Promise<void> {
  if (!wanted(name)) return;
  await load([target, yardstick]);
  const ratios: number[] = [];
  for (let slice = 0; slice < SLICES; slice += 1) {
    const [ours, bare] = await load([target, yardstick]);
    if (!ours || !bare || ours.bad > 0) throw new Error(`${name}: ${ours?.bad} answers were errors`);
    ratios.push(ours.perSecond / bare.perSecond);
  }
  report(name, ratios);
}

/** One after the other, for latencies are read. */
async function compareLatency(name: string, target: Target): Promise<void> {
  if (!wanted(name)) return;
  const ratios: number[] = [];
  for (let slice = 0; slice < SLICES; slice += 1) {
    const [ours] = await load([target]);
    const [bare] = await load([{ url: `${limit}/` }]);
    if (ours && bare) ratios.push(ours.p99Ms / bare.p99Ms);
  }
  report(name, ratios, 'x limit');
}

async function timeOf(url: string): Promise<number> {
  const startedAt = performance.now();
  await (await fetch(url)).arrayBuffer();
  return performance.now() - startedAt;
}

let asked = 0;

/** One at a time and in turn: the CI itself, the bare server before it, ours before it, each for a name never asked for. */
async function compareCold(
  name: string,
  source: string,
  upstreamPort: number,
  limitPort: number,
  count: number,
): Promise<void> {
  if (!wanted(name)) return;
  const ratios: number[] = [];
  for (let slice = 0; slice <= SLICES; slice += 1) {
    const times: { direct: number[]; bare: number[]; ours: number[] } = { direct: [], bare: [], ours: [] };
    for (let index = 0; index < count; index += 1) {
      asked += 1;
      times.direct.push(await timeOf(`http://127.0.0.1:${upstreamPort}/jobs/${asked}`));
      times.bare.push(await timeOf(`http://127.0.0.1:${limitPort}/jobs/${asked}`));
      const query = `key=badges&source=${source}&$ApplicationName=a${asked}`;
      times.ours.push(await timeOf(`${host}/api/ci-badges/image?${query}`));
    }
    const direct = median(times.direct);
    // The first slice warms up.
    if (slice > 0) ratios.push((median(times.ours) - direct) / (median(times.bare) - direct));
  }
  report(name, ratios, 'x overhead of the bare cold server');
}

async function compareCrowd(): Promise<void> {
  const before = Number(await (await fetch(`http://127.0.0.1:${PORTS.slow}/asked`)).text());
  const startedAt = performance.now();
  const crowd = Array.from({ length: 1000 }, () =>
    fetch(`${host}/api/ci-badges/image?key=badges&source=slow&$ApplicationName=crowd`),
  );
  const states = await Promise.all(crowd.map(async (answer) => (await answer).headers.get('badge-state')));
  const tookMs = performance.now() - startedAt;
  const after = Number(await (await fetch(`http://127.0.0.1:${PORTS.slow}/asked`)).text());
  report('1,000 waiting for one cold badge: upstream requests', [after - before], 'requests');
  report(
    'the same: answers that were not the badge',
    [states.filter((state) => state !== 'success').length],
    'answers',
  );
  report('the same: whole crowd, upstream takes 1,000 ms', [tookMs], 'ms');
}

const config = (database: string) => `
server: { port: ${PORTS.ours} }
database: sqlite:${database}
keys: [{ name: readme, key: badges, scopes: [badges] }, { name: api, key: api-key, scopes: [api] }]
freshness: { settledSeconds: 3600, settledStaleSeconds: 7200 }
sources:
  - { name: ci, provider: http-json, url: 'http://127.0.0.1:${PORTS.upstream}', path: 'jobs/{application}', status: /status, build: /number, words: { green: passed } }
  - { name: large, provider: http-json, url: 'http://127.0.0.1:${PORTS.large}', path: 'jobs/{application}', status: /status, words: { green: passed } }
  - { name: slow, provider: http-json, url: 'http://127.0.0.1:${PORTS.slow}', path: 'jobs/{application}', status: /status, words: { green: passed } }
`;

const serve = ['dist/bundle/main.js', '--config', join(folder, 'signalbox.yaml')];
const quiet = { SIGNALBOX_LOG_LEVEL: 'info' };

async function measureStart(): Promise<void> {
  const ratios: number[] = [];
  for (let run = 0; run < SLICES; run += 1) {
    const time = async (args: readonly string[], ready: string) => {
      const startedAt = performance.now();
      const started = await start(SERVER_CORE, args, ready, quiet);
      const tookMs = performance.now() - startedAt;
      await started.stop();
      return tookMs;
    };
    const bare = await time(['bench/limit.ts', String(PORTS.limit)], `${limit}/`);
    ratios.push((await time(serve, `${image}&$Tag=none`)) / bare);
  }
  report('start to first badge, database open', ratios, 'x bare start');
}

demandTools();
const database = join(folder, 'bench.db');
writeFileSync(join(folder, 'signalbox.yaml'), config(database));
const started: Started[] = [];
const begin = async (...args: Parameters<typeof start>) => started.push(await start(...args));

try {
  process.stdout.write('| what | median | range | unit |\n| --- | --- | --- | --- |\n');
  await fillDefinitions(database, 10_000, 10);
  await begin(
    '1',
    ['bench/upstream.ts', String(PORTS.upstream), '2000', '0'],
    `http://127.0.0.1:${PORTS.upstream}/asked`,
  );
  await begin('1', ['bench/upstream.ts', String(PORTS.large), '200000', '0'], `http://127.0.0.1:${PORTS.large}/asked`);
  await begin('1', ['bench/upstream.ts', String(PORTS.slow), '2000', '1000'], `http://127.0.0.1:${PORTS.slow}/asked`);
  await measureStart();
  await begin(SERVER_CORE, serve, image, quiet);
  const bytes = (await (await fetch(image)).arrayBuffer()).byteLength;
  await begin(SERVER_CORE, ['bench/limit.ts', String(PORTS.limit), String(bytes)], `${limit}/`);
  const tag = (await fetch(image)).headers.get('etag') ?? '';

  await duel('warm hit, one badge', { url: image });
  await duel('warm hit, gzip', { url: image, headers: { 'Accept-Encoding': 'gzip' } });
  await duel('warm 304', { url: image, headers: { 'If-None-Match': tag } });
  for (let index = 1; index <= 10_000; index += 1) await (await fetch(`${image}&label=l${index}`)).arrayBuffer();
  await duel('warm hit, 10,000 distinct badges', { url: `${image}&label=l%d`, distinct: 10_000 });
  await compareLatency('p99 of warm hits', { url: image });
  await duel('full path, execution warm, drawing shared', { url: `${image}&n=%d`, distinct: 0 });
  await duel('first draw', { url: `${image}&label=f%d`, distinct: 0 });

  const list = `${host}/api/v4/projects/%d/badges`;
  const listBytes = (
    await (await fetch(list.replace('%d', '77'), { headers: { 'private-token': 'api-key' } })).arrayBuffer()
  ).byteLength;
  await begin(
    SERVER_CORE,
    ['bench/limit.ts', String(PORTS.other), String(listBytes)],
    `http://127.0.0.1:${PORTS.other}/`,
  );
  const yardstick = { url: `http://127.0.0.1:${PORTS.other}/` };
  await duel(
    'list of 10 of 100,000 definitions',
    { url: list, distinct: 10_000, headers: { 'Private-Token': 'api-key' } },
    yardstick,
  );

  await begin(
    SERVER_CORE,
    ['bench/limit.ts', String(PORTS.cold), String(bytes), `http://127.0.0.1:${PORTS.upstream}`],
    `http://127.0.0.1:${PORTS.cold}/jobs/x`,
  );
  await compareCold('cold request, 2 kB answer', 'ci', PORTS.upstream, PORTS.cold, 60);
  await begin(
    SERVER_CORE,
    ['bench/limit.ts', String(PORTS.coldLarge), String(bytes), `http://127.0.0.1:${PORTS.large}`],
    `http://127.0.0.1:${PORTS.coldLarge}/jobs/x`,
  );
  await compareCold('cold request, 200 kB answer', 'large', PORTS.large, PORTS.coldLarge, 30);
  await compareCrowd();
  report('heap of 10,000 distinct warm badges', [await measureMemory(10_000)], 'MiB');

  const other = { command: process.argv.indexOf('--command'), url: process.argv.indexOf('--url') };
  if (other.command > 0 && other.url > 0) {
    const [program = '', ...args] = (process.argv[other.command + 1] ?? '').split(' ');
    const url = process.argv[other.url + 1] ?? '';
    await begin(SERVER_CORE, [program, ...args], url);
    await duel(`another server: ${url}`, { url });
  }
} finally {
  await Promise.all(started.map((one) => one.stop()));
}
writeFileSync(join(folder, 'bench.json'), JSON.stringify(rows, undefined, 2));
process.stdout.write(`\n${JSON.stringify(rows)}\n`);
