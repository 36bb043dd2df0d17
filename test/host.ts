import { Writable } from 'node:stream';
import { z } from 'zod';
import type { Key } from '../lib/access/index.ts';
import { digestOf } from '../lib/access/index.ts';
import type { Execution } from '../lib/builds/index.ts';
import { type Config, ConfigOptions, parseOptions } from '../lib/config/index.ts';
import { type BadgeHost, createBadgeHost } from '../lib/host.ts';
import { createLog } from '../lib/observe/index.ts';
import { defineProvider, httpUrl, type Registry, secret } from '../lib/providers/index.ts';

/** What the provider `fake` is to say: executions, or an error to throw. */
export interface Fake {
  executions: readonly Partial<Execution>[] | Error;
  /** How often it was asked. */
  asked: number;
  delayMs: number;
}

/** A badge host that listens on loopback, with one source `ci` of a provider that says what the test tells it. */
export interface TestHost {
  readonly host: BadgeHost;
  readonly address: string;
  readonly fake: Fake;
  /** All that was logged. */
  readonly logged: () => string;
  get(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export const PAGES = {
  build: 'https://ci.test/web/41',
  release: 'https://ci.test/web/main',
  application: 'https://ci.test/web',
  execution: 'https://ci.test/web/41/2',
};

/** Options of the configuration, and keys beside those: by default `badges` for badges and `push` for reports. */
export async function startHost(options: object = {}, keys: readonly Key[] = KEYS): Promise<TestHost> {
  const fake: Fake = { executions: [{}], asked: 0, delayMs: 0 };
  let log = '';
  const sink = new Writable({
    write(chunk, _encoding, done) {
      log += chunk;
      done();
    },
  });
  const config: Config = parseOptions(ConfigOptions, {
    server: { port: 0 },
    database: 'sqlite::memory:',
    sources: [{ name: 'ci', provider: 'fake', url: 'https://ci.test', token: 's3cret' }],
    ...options,
  });
  const host = await createBadgeHost({
    loaded: { config },
    providers: fakeRegistry(fake),
    log: createLog('trace', sink),
    extraKeys: keys,
  });
  const address = await host.listen();
  return {
    host,
    address,
    fake,
    logged: () => log,
    get: (path, init) => fetch(`${address}${path}`, { redirect: 'manual', ...init }),
    close: () => host.close(),
  };
}

export function keyOf(text: string, more: Partial<Key> = {}): Key {
  return { name: text, digest: digestOf(text), scopes: ['badges'], ...more };
}

const KEYS: readonly Key[] = [keyOf('badges'), keyOf('push', { scopes: ['push', 'badges'] })];

function fakeRegistry(fake: Fake): Registry {
  const provider = defineProvider({
    id: 'fake',
    title: 'Fake CI',
    docs: 'https://ci.test/docs',
    words: { application: 'name', release: 'branch', build: 'number', execution: 'run' },
    filters: ['application', 'applicationId', 'release', 'branch', 'commit', 'build', 'variables'],
    options: z.strictObject({ url: httpUrl(), token: secret().optional() }),
    async *executions(query) {
      fake.asked += 1;
      if (fake.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, fake.delayMs));
      if (fake.executions instanceof Error) throw fake.executions;
      for (const execution of fake.executions) {
        yield {
          outcome: 'passed',
          status: 'green',
          application: query.application,
          applicationId: '2',
          branch: 'main',
          build: '41',
          commit: '0123456789abcdef0123456789abcdef01234567',
          variables: {},
          pages: PAGES,
          ...execution,
        };
      }
    },
  });
  return { fake: async () => ({ default: provider }) };
}
