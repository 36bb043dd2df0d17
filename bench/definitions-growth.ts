import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { addDefinition, type Database, findDefinition, listDefinitions, openStorage } from '../lib/storage/index.ts';
import { fillDefinitions } from './definitions.ts';
import { median } from './machine.ts';

/**
 * What list, get and add cost at 1,000 and at 100,000 definitions, on SQLite and, when SIGNALBOX_TEST_POSTGRES_URL is
 * set, on PostgreSQL in schemas of their own. Medians of single calls, in microseconds.
 */
const CALLS = 300;

async function timeOf(call: (index: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < CALLS; index += 1) {
    const startedAt = performance.now();
    await call(index);
    times.push((performance.now() - startedAt) * 1000);
  }
  return median(times.slice(CALLS / 10));
}

async function measure(database: Database, projects: number): Promise<Record<string, number>> {
  const projectOf = (index: number) => ((index * 7919) % projects) + 1;
  const paging = { page: 1, perPage: 20 };
  const urls = { name: 'added', link_url: 'https://ci.test/', image_url: 'https://ci.test/badge.svg' };
  const list = (index: number) =>
    listDefinitions(database, { projectId: projectOf(index), groupIds: [] }, undefined, paging);
  const first = (await list(0)).items[0];
  return {
    list: await timeOf(list),
    get: await timeOf(() => findDefinition(database, { projectId: projectOf(0) }, first?.id ?? 0)),
    add: await timeOf((index) => addDefinition(database, { projectId: projectOf(index) }, urls)),
  };
}

async function grow(kind: string, urlOf: (projects: number) => Promise<string>): Promise<void> {
  const costs: Record<string, number>[] = [];
  for (const projects of [100, 10_000]) {
    const url = await urlOf(projects);
    await fillDefinitions(url, projects, 10);
    const { database, close } = await openStorage(url.includes('://') ? url : `sqlite:${url}`);
    await measure(database, projects);
    costs.push(await measure(database, projects));
    await close();
  }
  const [small = {}, large = {}] = costs;
  for (const [call, us] of Object.entries(large)) {
    const before = small[call] ?? Number.NaN;
    process.stdout.write(
      `| ${kind} | ${call} | ${before.toFixed(0)} | ${us.toFixed(0)} | ${(us / before).toFixed(2)} |\n`,
    );
  }
}

process.stdout.write('| database | call | us at 1,000 | us at 100,000 | ratio |\n| --- | --- | --- | --- | --- |\n');
const folder = mkdtempSync(join(tmpdir(), 'signalbox-growth-'));
await grow('SQLite', async (projects) => join(folder, `${projects}.db`));

const postgres = process.env.SIGNALBOX_TEST_POSTGRES_URL;
if (postgres) {
  const { database, close } = await openStorage(postgres);
  const schemas: string[] = [];
  await grow('PostgreSQL', async (projects) => {
    const schema = `growth_${process.pid}_${projects}`;
    schemas.push(schema);
    await sql`create schema ${sql.ref(schema)}`.execute(database);
    return `${postgres}?options=-c%20search_path%3D${schema}`;
  });
  for (const schema of schemas) await sql`drop schema ${sql.ref(schema)} cascade`.execute(database);
  await close();
} else {
  process.stdout.write('PostgreSQL is left out: set SIGNALBOX_TEST_POSTGRES_URL\n');
}
