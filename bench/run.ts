import { compareCold, compareCrowd } from './cold.ts';
import { fillDefinitions } from './definitions.ts';
import { compareDrawing } from './drawing.ts';
import { compareLatency, duel, sameFor } from './duel.ts';
import { compareBadges, compareSources } from './growth.ts';
import { compareHeld } from './held.ts';
import { demandTools, pinHere, SERVER_CORE } from './machine.ts';
import { measureMemory } from './memory.ts';
import { printHead, printJson, report, wanted } from './report.ts';
import { begin, beginLimit, beginOurs, beginUpstream, IMAGE, oursOf, stopAll, TOKEN } from './servers.ts';
import { compareStart } from './start.ts';
import { compareWorkers } from './workers.ts';

/**
 * Measures the server beside the bare `node:http` limit. `--only <text>` measures what has the text in its name;
 * `--command "…" --url …` puts another server beside the same limit.
 */
async function measureWarm(image: string, limit: string): Promise<void> {
  const warm = { url: image };
  const gzip = { url: image, headers: { 'Accept-Encoding': 'gzip' } };
  const tag = (await fetch(image)).headers.get('etag') ?? '';
  const known = { url: image, headers: { 'If-None-Match': tag } };
  const distinct = { url: `${image}&label=l%d`, distinct: 10_000 };
  await duel('warm hit, one badge', warm, sameFor(warm, limit), '>= 0.90');
  await duel('warm hit, gzip', gzip, sameFor(gzip, limit));
  await duel('warm 304', known, sameFor(known, limit), '>= 1.00');
  if (wanted('warm hit, 10,000 distinct badges')) await askAll(`${image}&label=l`, 10_000);
  await duel('warm hit, 10,000 distinct badges', distinct, sameFor(distinct, limit), '>= 0.85');
  await compareLatency('p99 of warm hits', warm, sameFor(warm, limit), '<= 1.5');
}

async function measureFull(image: string, limit: string): Promise<void> {
  const full = { url: `${image}&n=%d`, distinct: 0 };
  const draw = { url: `${image}&label=f%d`, distinct: 0 };
  await duel('full path, execution warm, drawing shared', full, sameFor(full, limit), '>= 0.45');
  await duel('first draw', draw, sameFor(draw, limit));
}

async function askAll(url: string, count: number): Promise<void> {
  for (let index = 1; index <= count; index += 1) await (await fetch(`${url}${index}`)).arrayBuffer();
}

async function measureList(address: string, database: string): Promise<void> {
  const name = 'list of 20 of 100,000 definitions';
  if (!wanted(name)) return;
  await fillDefinitions(database, 5_000, 20);
  const url = `${address}/api/v4/projects/%d/badges`;
  const first = await (await fetch(url.replace('%d', '77'), { headers: TOKEN })).arrayBuffer();
  const list = { url, distinct: 5_000, headers: TOKEN };
  await duel(name, list, sameFor(list, await beginLimit(first.byteLength)), '>= 0.10');
}

async function measureCold(address: string, upstreams: Readonly<Record<string, string>>): Promise<void> {
  const rows = [
    ['cold request, 2 kB answer', 'ci', 60, '<= 1.7'],
    ['cold request, 200 kB answer', 'large', 30, '<= 1.2'],
  ] as const;
  for (const [name, source, count, goal] of rows) {
    if (!wanted(name)) continue;
    const upstream = upstreams[source] ?? '';
    const ours = `${address}${IMAGE}&source=${source}&$ApplicationName=a`;
    await compareCold(name, { ours, upstream, bare: await beginLimit(1_282, upstream) }, count, goal);
  }
}

async function measureOther(limit: string): Promise<void> {
  const [command, url] = ['--command', '--url'].map((name) => {
    const index = process.argv.indexOf(name);
    return index < 0 ? undefined : process.argv[index + 1];
  });
  if (command === undefined || url === undefined) return;
  const [program = '', ...args] = command.split(' ');
  await begin(SERVER_CORE, args, url, program);
  await duel(`another server: ${url}`, { url }, { url: `${limit}/` });
}

demandTools();
pinHere();
try {
  printHead();
  compareDrawing();
  const upstreams = { ci: await beginUpstream(2_000), large: await beginUpstream(200_000) };
  const ours = oursOf('ours', upstreams);
  await compareStart('start to first badge, database open', ours, '<= 3');
  const address = await beginOurs(ours);
  const image = `${address}${IMAGE}&source=ci&$ApplicationName=web`;
  const limit = await beginLimit((await (await fetch(image)).arrayBuffer()).byteLength);
  await measureWarm(image, limit);
  await measureFull(image, limit);
  await measureOther(limit);
  await measureList(address, ours.database);
  await measureCold(address, upstreams);
  await compareCrowd();
  if (wanted('heap')) report('heap of 10,000 distinct warm badges', [measureMemory(10_000)], 'MiB', '<= 20');
  await compareWorkers(upstreams.ci);
  await compareHeld();
  await compareBadges(upstreams.ci, limit);
  await compareSources(upstreams.ci, limit);
} finally {
  await stopAll();
}
printJson();
