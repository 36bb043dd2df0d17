import assert from 'node:assert/strict';
import { request } from 'node:http';
import nock from 'nock';
import { ConfigOptions, parseOptions } from '../../lib/config/index.ts';
import { type BadgeHost, createBadgeHost } from '../../lib/host.ts';
import { createLog } from '../../lib/observe/index.ts';
import { providers } from '../../plugins/index.ts';
import { keyOf } from '../host.ts';
import { play, type TestServer } from '../server.ts';

/** Names that look like paths, as a stranger may put them into an address. */
const NAMES = [
  '../../secret',
  'a/../b',
  'a/..',
  '%2e%2e/%2e%2e/secret',
  '..%2f..%2fsecret',
  '..\\..\\secret',
  '//evil.test/x',
  'http://evil.test/x',
  'a/b?admin=1#x',
  'a\0/b',
  'a/b\r\nX-Evil: 1',
  `acme/${'x'.repeat(1_000)}`,
  'x'.repeat(5_000),
  'päth/ünï☃',
  ' / ',
  '\ud800/a',
];

describe('strange names of applications, with real providers', () => {
  let ci: TestServer;
  let host: BadgeHost;
  let address: string;
  const sources = ['buildmaster', 'github', 'gitlab', 'jenkins'];

  before(async () => {
    nock.enableNetConnect();
    ci = await play((_, response) => response.writeHead(404, { 'content-type': 'application/json' }).end('{}'));
    const config = parseOptions(ConfigOptions, {
      server: { port: 0 },
      database: 'sqlite::memory:',
      sources: sources.map((name) => ({ name, provider: name, url: `${ci.origin}/root/${name}`, token: 's3cret' })),
    });
    host = await createBadgeHost({ loaded: { config }, providers, log: createLog('silent'), extraKeys: [keyOf('k')] });
    address = await host.listen();
  });
  after(async () => {
    await host.close();
    await ci.close();
  });

  for (const source of sources) {
    for (const name of NAMES) {
      it(`${source} stays below its root with ${JSON.stringify(name).slice(0, 40)}`, async () => {
        const before = ci.got.length;
        const { status, state } = await image({ key: 'k', source, $ApplicationName: name });
        assert.deepEqual([status, state], [200, 'unknown']);
        for (const { url } of ci.got.slice(before)) {
          assert.ok(url.startsWith(`/root/${source}/`), url);
          const [, ...parts] = (url.split('?')[0] ?? '').split('/');
          for (const part of parts) assert.ok(!['', '.', '..'].includes(decodeURIComponent(part)), url);
        }
      });
    }
  }

  it('did ask for those that are names', () => {
    for (const source of sources)
      assert.ok(
        ci.got.some(({ url }) => url.startsWith(`/root/${source}/`)),
        source,
      );
  });

  function image(args: Record<string, string>): Promise<{ status: number; state: unknown }> {
    return new Promise((resolve, reject) => {
      const asked = request(
        `${address}/api/ci-badges/image?${new URLSearchParams(args)}`,
        { agent: false },
        (response) => {
          response.resume();
          resolve({ status: response.statusCode ?? 0, state: response.headers['badge-state'] });
        },
      );
      asked.once('error', reject).end();
    });
  }
});
