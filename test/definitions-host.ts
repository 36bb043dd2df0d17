import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { z } from 'zod';
import { ConfigOptions } from '../lib/config/index.ts';
import { type BadgeHost, createBadgeHost } from '../lib/host.ts';
import { createLog } from '../lib/observe/index.ts';
import type { Registry } from '../lib/providers/index.ts';
import type { Database } from '../lib/storage/index.ts';

/** Makes an empty database and gives its URL. It is removed after the suite. */
export type Fresh = () => Promise<string>;

const POSTGRES_URL = process.env.SIGNALBOX_TEST_POSTGRES_URL;
const HOW_TO_RUN =
  'PostgreSQL is left out: run it with SIGNALBOX_TEST_POSTGRES_URL=postgres://user@host/database npx mocha <this file>';

/** One suite on both databases. PostgreSQL where `SIGNALBOX_TEST_POSTGRES_URL` names a server: each run in a schema of its own. */
export function describeOnEach(title: string, suite: (fresh: Fresh) => void): void {
  describe(`${title} on SQLite`, () => suite(freshSqlite()));
  describeOnPostgres(title, suite);
}

/** A suite that needs several servers on one database. */
export function describeOnPostgres(title: string, suite: (fresh: Fresh) => void): void {
  describe(`${title} on PostgreSQL`, () => {
    // There is no server to run it against; the title says how to name one.
    if (POSTGRES_URL === undefined) it.skip(HOW_TO_RUN);
    else suite(freshPostgres(POSTGRES_URL));
  });
}

/** Databases in files of a folder that is removed after the suite. */
export function freshSqlite(): Fresh {
  const folders: string[] = [];
  after(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'signalbox-'));
    folders.push(folder);
    return `sqlite:${join(folder, 'test.db')}`;
  };
}

function freshPostgres(url: string): Fresh {
  const schemas: string[] = [];
  const run = async (...texts: readonly string[]) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    for (const text of texts) await client.query(text);
    await client.end();
  };
  after(() => run('set client_min_messages = warning', ...schemas.map((schema) => `drop schema ${schema} cascade`)));
  return async () => {
    const schema = `signalbox_${randomBytes(6).toString('hex')}`;
    await run(`create schema ${schema}`);
    schemas.push(schema);
    const own = new URL(url);
    own.searchParams.set('options', `-c search_path=${schema}`);
    return own.href;
  };
}

/** The keys that every test host knows, by what they may do. */
export const TOKENS = {
  api: 'token-api',
  admin: 'token-admin',
  read: 'token-read',
  badges: 'badges',
  push: 'token-push',
  expired: 'token-expired',
  /** `api`, for applications of `acme` only. */
  acme: 'token-acme',
} as const;

const KEYS = [
  { name: 'maintainer', key: TOKENS.api, scopes: ['api'] },
  { name: 'root', key: TOKENS.admin, scopes: ['admin'] },
  { name: 'reader', key: TOKENS.read, scopes: ['read_api'] },
  { name: 'readme', key: TOKENS.badges, scopes: ['badges'] },
  { name: 'ci', key: TOKENS.push, scopes: ['push'] },
  { name: 'former', key: TOKENS.expired, scopes: ['api'], expiresAt: '2020-01-01' },
  { name: 'acme-only', key: TOKENS.acme, scopes: ['api'], applications: ['acme', 'acme/*'] },
];

/** A badge host that listens on a free port of loopback. */
export interface TestHost extends Client {
  readonly origin: string;
  readonly host: BadgeHost;
  readonly database: Database;
  /** Requests that reached the host, by their paths. */
  readonly got: readonly string[];
  close(): Promise<void>;
}

export interface HostWishes {
  readonly server?: object;
  readonly sources?: readonly object[];
  readonly providers?: Registry;
}

export async function startHost(database: string, wishes: HostWishes = {}): Promise<TestHost> {
  const { server = {}, sources = [], providers = {} } = wishes;
  const config = ConfigOptions.parse({ server: { port: 0, ...server }, database, keys: KEYS, sources });
  const host = await createBadgeHost({ loaded: { config }, providers, log: createLog('silent') });
  const got: string[] = [];
  host.server.on('request', ({ url = '' }) => got.push(url));
  const address = await host.listen();
  return {
    origin: address,
    host,
    database: host.storage.database,
    got,
    close: () => host.close(),
    ...clientOf(address),
  };
}

export interface Send {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The text as JSON; `undefined` for no text. */
  readonly json: unknown;
}

/** Asks below `/api/v4`, unless the path starts there. Paths go out as they are written: nothing tidies them. */
export interface Client {
  send(method: string, path: string, send?: Send): Promise<Reply>;
  get(path: string, send?: Send): Promise<Reply>;
}

export function clientOf(address: string): Client {
  const send = (method: string, path: string, { token, headers = {}, json, form, body }: Send = {}) =>
    new Promise<Reply>((resolve, reject) => {
      const text = json !== undefined ? JSON.stringify(json) : form ? `${new URLSearchParams(form)}` : body;
      const type = json !== undefined ? 'application/json' : form && 'application/x-www-form-urlencoded';
      const { hostname, port, pathname } = new URL(address);
      const base = pathname === '/' ? '' : pathname;
      const outgoing = request({
        method,
        hostname,
        port,
        path: base + (path.startsWith('/api/') ? path : `/api/v4${path}`),
        headers: {
          ...(token !== undefined && { 'private-token': token }),
          ...(type && { 'content-type': type }),
          ...(text !== undefined && { 'content-length': Buffer.byteLength(text) }),
          ...headers,
        },
      });
      outgoing.once('error', reject);
      outgoing.once('response', async (response) => {
        try {
          const answer = Buffer.concat(await Array.fromAsync(response)).toString('utf8');
          const { statusCode: status = 0 } = response;
          const isJson = answer !== '' && response.headers['content-type']?.startsWith('application/json');
          resolve({ status, headers: response.headers, text: answer, json: isJson ? JSON.parse(answer) : undefined });
        } catch (error) {
          reject(error);
        }
      });
      outgoing.end(text);
    });
  return { send, get: (path, wishes) => send('GET', path, wishes) };
}

/** A definition as the API gives it: these fields and no other. */
export const BadgeEntity = z.strictObject({
  name: z.string().nullable(),
  link_url: z.string(),
  image_url: z.string(),
  rendered_link_url: z.string(),
  rendered_image_url: z.string(),
  id: z.number(),
  kind: z.enum(['project', 'group']),
});
export type BadgeEntity = z.infer<typeof BadgeEntity>;

/** The definition in a reply. */
export function badgeOf({ json }: Reply): BadgeEntity {
  return BadgeEntity.parse(json);
}

/** The definitions in a reply. */
export function badgesOf({ json }: Reply): BadgeEntity[] {
  return z.array(BadgeEntity).parse(json);
}

/** The id in a reply. */
export function idOf({ json }: Reply): number {
  return z.object({ id: z.number() }).parse(json).id;
}

/** What was sent and answered must have this status; the message shows the answer. */
export function expectStatus(reply: Reply, status: number): Reply {
  if (reply.status !== status) throw new Error(`${status} was wanted, but it is ${reply.status}: ${reply.text}`);
  return reply;
}
