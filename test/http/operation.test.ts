import assert from 'node:assert/strict';
import { startHost, type TestHost } from '../host.ts';

describe('operation', () => {
  let test: TestHost;

  beforeEach(async () => {
    test = await startHost();
  });
  afterEach(() => test.close());

  for (const [path, text] of [
    ['/healthz', 'ok\n'],
    ['/readyz', 'ready\n'],
  ] as const) {
    it(`${path} says ${text.trim()} to everybody, and is never kept`, async () => {
      const answer = await test.get(path);
      assert.deepEqual([answer.status, await answer.text()], [200, text]);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.equal((await test.get(path, { method: 'HEAD' })).status, 200);
      const other = await test.get(path, { method: 'POST' });
      assert.deepEqual([other.status, other.headers.get('allow')], [405, 'GET, HEAD, OPTIONS']);
    });
  }

  it('/readyz says no where the database does not answer', async () => {
    await test.host.storage.database.schema.dropTable('changes').execute();
    const answer = await test.get('/readyz');
    assert.deepEqual([answer.status, await answer.text()], [503, 'not ready\n']);
    assert.equal((await test.get('/healthz')).status, 200);
  });

  it('gives every request an id, or keeps the one that it came with', async () => {
    const idOf = async (given?: string) => {
      const answer = await test.get('/healthz', given === undefined ? {} : { headers: { 'x-request-id': given } });
      return answer.headers.get('x-request-id') ?? '';
    };
    assert.notEqual(await idOf(), await idOf());
    assert.equal(await idOf('abc-1'), 'abc-1');
    for (const strange of ['a b', 'x'.repeat(65), '"']) assert.notEqual(await idOf(strange), strange);
  });

  it('logs each request in a line: its path, and not what it asked', async () => {
    await test.get('/api/ci-badges/image?key=badges&$ApplicationName=web', { headers: { 'x-request-id': 'seen' } });
    const line = test
      .logged()
      .split('\n')
      .find((text) => text.includes('"requestId":"seen"'));
    const { method, path, status, durationMs } = JSON.parse(line ?? '{}');
    assert.deepEqual([method, path, status, typeof durationMs], ['GET', '/api/ci-badges/image', 200, 'number']);
    assert.doesNotMatch(line ?? '', /badges&|ApplicationName/);
  });

  const strange: readonly [string, number][] = [
    ['/nowhere', 404],
    ['/api/ci-badges/', 404],
    ['/%E0%A4%A', 404],
    ['/api/ci-badges/image/../../../etc/passwd', 404],
    ['/api/ci-badges/%69mage', 404],
  ];
  for (const [path, status] of strange) {
    it(`answers ${path} with ${status}`, async () => {
      const answer = await test.get(path);
      assert.equal(answer.status, status);
      assert.ok(answer.headers.get('cache-control'));
      assert.doesNotMatch(await answer.text(), /\.ts|node_modules/);
    });
  }

  it('serves nothing above its base path', async () => {
    await test.close();
    test = await startHost({ server: { port: 0, basePath: '/a/badges' } });
    const root = new URL(test.address).origin;
    const statusOf = async (address: string) => (await fetch(address)).status;
    assert.equal(await statusOf(`${test.address}/healthz`), 200);
    assert.equal(await statusOf(`${root}/healthz`), 404);
    assert.equal(await statusOf(`${root}/a/badgeshealthz`), 404);
  });

  it('stops although nobody was ever there', async () => {
    const other = await startHost();
    await other.close();
  });

  it('stops although clients keep their connections', async () => {
    for (let client = 0; client < 5; client += 1) await test.get('/healthz');
    await test.close();
    await assert.rejects(fetch(`${test.address}/healthz`));
    test = await startHost();
  });
});
