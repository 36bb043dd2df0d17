import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, LOAD_CORE, SERVER_CORE, type Started, start } from './machine.ts';

/** As `npm start` has them. */
const FLAGS = ['--max-semi-space-size=4'];

/** The servers of a run, each on a port of its own. */
export const IMAGE = '/api/ci-badges/image?key=badges';
export const TOKEN = { 'Private-Token': 'api-key' };

const started: Started[] = [];
let ports = 18_080;

export function nextPort(): number {
  ports += 1;
  return ports;
}

export function addressOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** Starts a server that is stopped at the end of the run, if not before. */
export async function begin(...args: Parameters<typeof start>): Promise<Started> {
  const one = await start(...args);
  started.push(one);
  return one;
}

export async function stopAll(): Promise<void> {
  await Promise.all(started.map((one) => one.stop()));
}

/** The bare server that sends so many bytes; with an upstream it asks that first. */
export async function beginLimit(bytes: number, upstream?: string): Promise<string> {
  const port = nextPort();
  const args = ['bench/limit.ts', String(port), String(bytes), ...(upstream === undefined ? [] : [upstream])];
  await begin(SERVER_CORE, args, `${addressOf(port)}/`);
  return addressOf(port);
}

/** A CI whose answers have so many bytes and take so long; `list`: of many small records. */
export async function beginUpstream(bytes: number, delayMs = 0, kind: 'text' | 'list' = 'text'): Promise<string> {
  const port = nextPort();
  const args = ['bench/upstream.ts', String(port), String(bytes), String(delayMs), kind];
  await begin(LOAD_CORE, args, `${addressOf(port)}/asked`);
  return addressOf(port);
}

/** How one of our servers is to be started. */
export interface Ours {
  readonly name: string;
  /** Addresses of the CIs by the names of their sources. */
  readonly sources: Readonly<Record<string, string>>;
  readonly port: number;
  readonly database: string;
}

export function oursOf(name: string, sources: Ours['sources']): Ours {
  return { name, sources, port: nextPort(), database: join(folder, `${name}.db`) };
}

/** Writes the configuration; the arguments that serve it. */
export function serveArgs({ name, sources, port, database }: Ours, ...more: readonly string[]): string[] {
  const file = join(folder, `${name}.yaml`);
  const entries = Object.entries(sources).map(
    ([source, url]) =>
      `  - { name: ${source}, provider: http-json, url: '${url}', path: 'jobs/{application}', status: /status, words: { green: passed } }`,
  );
  const lines = [
    `server: { port: ${port} }`,
    `database: sqlite:${database}`,
    'access: { metrics: true }',
    'keys: [{ name: readme, key: badges, scopes: [badges] }, { name: api, key: api-key, scopes: [api] }]',
    'cache: { warmBytes: 1073741824 }',
    'freshness: { settledSeconds: 3600, settledStaleSeconds: 7200 }',
    'sources:',
    ...entries,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return [...FLAGS, 'dist/bundle/main.js', '--config', file, ...more];
}

/** Starts one of our servers with one warm badge; its address. */
export async function beginOurs(ours: Ours, cores = SERVER_CORE, ...more: readonly string[]): Promise<string> {
  const address = addressOf(ours.port);
  await begin(cores, serveArgs(ours, ...more), `${address}${IMAGE}&$ApplicationName=web`);
  return address;
}
