import assert from 'node:assert/strict';
import { ConfigOptions, parseOptions } from '../../lib/config/index.ts';
import { createBadgeHost } from '../../lib/host.ts';
import { createLog } from '../../lib/observe/index.ts';
import { providers } from '../../plugins/index.ts';
import { keyOf, startHost, type TestHost } from '../host.ts';
import { play } from '../server.ts';

const IMAGE = '/api/ci-badges/image?key=badges&$ApplicationName=web';

describe('/metrics', () => {
  let test: TestHost | undefined;
  const start = async (options: object = {}) => {
    test = await startHost(options, [keyOf('badges'), keyOf('admin', { scopes: ['admin'] })]);
    return test;
  };
  afterEach(async () => {
    await test?.close();
    test = undefined;
  });

  const refused: readonly [string, RequestInit][] = [
    ['nobody', {}],
    ['a key for badges', { headers: { authorization: 'Bearer badges' } }],
    ['an unknown key', { headers: { authorization: 'Bearer no' } }],
  ];
  for (const [who, init] of refused) {
    it(`are not for ${who}`, async () => {
      const { get } = await start();
      const answer = await get('/metrics', init);
      assert.deepEqual([answer.status, answer.headers.get('cache-control')], [403, 'no-store']);
      assert.match(await answer.text(), /scope admin is needed/);
    });
  }

  it('are not for passers-by who may see every badge', async () => {
    const { get } = await start({ access: { anonymous: true } });
    assert.equal((await get('/metrics')).status, 403);
  });

  it('are for an admin, and for all where the configuration says so', async () => {
    const closed = await start();
    const answer = await closed.get('/metrics', { headers: { authorization: 'Bearer admin' } });
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    await closed.close();
    const { get } = await start({ access: { metrics: true } });
    assert.equal((await get('/metrics')).status, 200);
  });

  it('count warm and other requests, what was asked and what is kept, and hold no key', async () => {
    const { get } = await start({ access: { metrics: true } });
    for (let count = 0; count < 3; count += 1) await get(IMAGE);
    await get('/api/ci-badges/image?key=s3cret');
    const text = await (await get('/metrics')).text();
    for (const line of [
      'signalbox_warm_requests_total{status="200"} 2',
      'signalbox_requests_total{surface="image",status="200"} 1',
      'signalbox_requests_total{surface="image",status="403"} 1',
      'signalbox_request_seconds_count{surface="image"} 2',
      'signalbox_warm_answers 1',
    ]) {
      assert.ok(text.split('\n').includes(line), line);
    }
    assert.match(text, /^nodejs_eventloop_lag_p99_seconds /m);
    assert.doesNotMatch(text, /s3cret|key=|badges"/);
  });

  it('count what backends are asked, by source and status', async () => {
    const backend = await play((_request, response) => response.writeHead(404).end());
    const config = parseOptions(ConfigOptions, {
      server: { port: 0 },
      database: 'sqlite::memory:',
      access: { anonymous: true, metrics: true },
      sources: [
        { name: 'ci', provider: 'http-json', url: backend.origin, path: '{application}', status: '/s', words: {} },
      ],
    });
    const host = await createBadgeHost({ loaded: { config }, providers, log: createLog('silent') });
    const address = await host.listen();
    await fetch(`${address}/api/ci-badges/image?$ApplicationName=web`);
    const text = await (await fetch(`${address}/metrics`)).text();
    await host.close();
    await backend.close();
    assert.match(text, /^signalbox_upstream_requests_total\{source="ci",status="404"\} 1$/m);
    assert.match(text, /^signalbox_upstream_seconds_count\{source="ci"\} 1$/m);
  });
});
