import assert from 'node:assert/strict';
import { makeFolder } from '../folder.ts';
import { keyOf, startHost, type TestHost } from '../host.ts';

const BUILDS = '/api/builds';

describe('reported builds', () => {
  let test: TestHost;

  beforeEach(async () => {
    test = await startHost({}, [
      keyOf('push', { scopes: ['push', 'badges'] }),
      keyOf('badges'),
      keyOf('narrow', { scopes: ['push'], applications: ['acme/*'] }),
    ]);
  });
  afterEach(() => test.close());

  const report = (value: object, key = 'push') =>
    test.get(BUILDS, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-apikey': key },
      body: JSON.stringify(value),
    });
  const image = (query: string) => test.get(`/api/ci-badges/image?key=push&source=push&${query}`);
  const state = async (query: string) => (await image(query)).headers.get('badge-state');
  const BUILD = { application: 'hello', build: 1, state: 'running' };

  it('show at once, and so does every change', async () => {
    assert.equal(await state('$ApplicationName=hello'), 'unknown');
    for (const next of ['pending', 'running', 'success', 'warning', 'error', 'unknown']) {
      assert.equal((await report({ ...BUILD, state: next })).status, 201);
      assert.equal(await state('$ApplicationName=hello'), next);
    }
  });

  it('go by the key of the address, then by that of a header, then by that of the body', async () => {
    const post = (query: string, headers: Record<string, string>, key: string) =>
      test.get(BUILDS + query, { method: 'POST', headers, body: new URLSearchParams({ ...BUILD, build: '1', key }) });
    assert.equal((await post('', {}, 'push')).status, 201);
    assert.equal((await post('', { 'x-apikey': 'push' }, 'badges')).status, 201);
    assert.equal((await post('', { 'x-apikey': 'badges' }, 'push')).status, 403);
    assert.equal((await post('?key=push', { 'x-apikey': 'badges' }, 'badges')).status, 201);
  });

  it('answer every filter', async () => {
    const commit = '0123456789abcdef0123456789abcdef01234567';
    await report({ ...BUILD, state: 'success', branch: 'main', commit, variables: { Os: 'linux' } });
    await report({ ...BUILD, build: 2, state: 'error', tag: 'v2', release: 'v2', commit: 'fedcba9876543210' });
    const CASES: [string, string][] = [
      ['$ApplicationName=HELLO', 'error'],
      ['$ApplicationName=hello&$Branch=main', 'success'],
      ['$ApplicationName=hello&$Tag=v2', 'error'],
      ['$ApplicationName=hello&$ReleaseNumber=v2', 'error'],
      ['$ApplicationName=hello&$ReleaseNumber=main', 'success'],
      ['$ApplicationName=hello&$BuildNumber=1', 'success'],
      ['$ApplicationName=hello&$GitCommit=0123456', 'success'],
      ['$ApplicationName=hello&$GitCommit=1234567', 'unknown'],
      ['$ApplicationName=hello&$os=linux', 'success'],
      ['$ApplicationName=hello&$Os=windows', 'unknown'],
      ['$BuildNumber=2', 'error'],
    ];
    for (const [query, expected] of CASES) assert.equal(await state(query), expected, query);
  });

  it('come as a form too, with what is nested in brackets', async () => {
    const body = new URLSearchParams({
      ...BUILD,
      build: '1',
      'pages[build]': 'https://ci.test/1',
      'variables[Os]': 'linux',
    });
    assert.equal((await test.get(`${BUILDS}?key=push`, { method: 'POST', body })).status, 201);
    assert.equal(await state('$ApplicationName=hello&$Os=linux'), 'running');
    const link = await test.get('/api/ci-badges/link?key=push&source=push&$ApplicationName=hello&page=release');
    assert.equal(link.headers.get('location'), 'https://ci.test/1');
  });

  it('without a page have no link', async () => {
    await report(BUILD);
    const link = await test.get('/api/ci-badges/link?key=push&source=push&$ApplicationName=hello');
    assert.equal(link.status, 400);
    assert.match(await link.text(), /without a page/);
  });

  it('need a key with the scope push, for that application', async () => {
    assert.equal((await report(BUILD, 'badges')).status, 403);
    assert.equal((await report(BUILD, 'unknown')).status, 403);
    assert.equal((await report(BUILD, 'narrow')).status, 403);
    assert.equal((await report({ ...BUILD, application: 'acme/web' }, 'narrow')).status, 201);
    assert.equal(await state('$ApplicationName=hello'), 'unknown');
  });

  const BAD: [string, object, RegExp][] = [
    ['no state', { application: 'a', build: 1 }, /state: /],
    ['another state', { ...BUILD, state: 'green' }, /success.*pending.*running/],
    ['an unknown field', { ...BUILD, stat: 'x' }, /stat/],
    ['a page that is no address', { ...BUILD, pages: { build: 'javascript:alert(1)' } }, /http/],
    ['a commit that is none', { ...BUILD, commit: 'main' }, /7 to 64 hexadecimal/],
    ['a list', [], /object/],
  ];
  for (const [what, value, message] of BAD) {
    it(`says what is wrong with ${what}`, async () => {
      const answer = await report(value);
      assert.equal(answer.status, 400);
      assert.match(((await answer.json()) as { message: string }).message, message);
    });
  }

  const places: readonly [string, string, RequestInit][] = [
    ['the query', '?key=push', {}],
    ['the query, spelled otherwise', '?API_KEY=push', {}],
    ['a header', '', { headers: { 'x-apikey': 'push' } }],
    ['Bearer', '', { headers: { authorization: 'Bearer push' } }],
    ['Basic', '', { headers: { authorization: `Basic ${btoa('api:push')}` } }],
    ['the form', '', { body: new URLSearchParams({ application: 'hello', build: '1', state: 'error', Key: 'push' }) }],
    [
      'the JSON',
      '',
      { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...BUILD, API_Key: 'push' }) },
    ],
  ];
  for (const [place, query, init] of places) {
    it(`take their key from ${place}`, async () => {
      const body = new URLSearchParams({ application: 'hello', build: '1', state: 'error' });
      const answer = await test.get(BUILDS + query, { method: 'POST', body, ...init });
      assert.equal(answer.status, 201);
      assert.doesNotMatch(JSON.stringify(await answer.json()), /push/);
    });
  }

  it('say all that is wrong at once', async () => {
    const answer = await report({ application: '', build: 1.5, state: 'green', startedAt: 'now', pages: { log: 'x' } });
    const { message } = (await answer.json()) as { message: string };
    for (const name of ['application', 'build', 'state', 'startedAt', 'pages'])
      assert.match(message, new RegExp(`${name}: `));
  });

  const instants: readonly [unknown, number, string | undefined][] = [
    ['2026-01-02T03:04:05Z', 201, '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05+02:00', 201, '2026-01-02T01:04:05.000Z'],
    [1_767_323_045_000, 201, '2026-01-02T03:04:05.000Z'],
    ['2026-01-02', 400, undefined],
    [-1, 400, undefined],
    [9e15, 400, undefined],
  ];
  for (const [startedAt, status, instant] of instants) {
    it(`${status === 201 ? 'may start' : 'may not start'} at ${startedAt}`, async () => {
      assert.equal((await report({ ...BUILD, startedAt })).status, status);
      const facts = (await (await image('$ApplicationName=hello&format=json')).json()) as Record<string, unknown>;
      assert.equal(facts.startedAt, instant);
    });
  }

  it('take variables of texts, numbers and flags, and nothing else', async () => {
    assert.equal((await report({ ...BUILD, variables: { Os: 'linux', Retry: 2, Nightly: true } })).status, 201);
    for (const query of ['$os=linux', '$retry=2', '$nightly=true']) {
      assert.equal(await state(`$ApplicationName=hello&${query}`), 'running', query);
    }
    for (const strange of [{}, [], null]) {
      assert.equal((await report({ ...BUILD, variables: { Os: strange } })).status, 400, JSON.stringify(strange));
    }
  });

  it('are seen by every server on the same database', async () => {
    const folder = makeFolder();
    const database = `sqlite:${folder.path}/builds.db`;
    const servers = await Promise.all([startHost({ database }), startHost({ database })]);
    try {
      const [here, there] = servers as [TestHost, TestHost];
      const path = '/api/ci-badges/image?key=push&source=push&$ApplicationName=hello';
      const seen = async () => (await there.get(path)).headers.get('badge-state');
      assert.equal(await seen(), 'unknown');
      const body = new URLSearchParams({ application: 'hello', build: '1', state: 'error' });
      assert.equal((await here.get(`${BUILDS}?key=push`, { method: 'POST', body })).status, 201);
      while ((await seen()) !== 'error') await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      await Promise.all(servers.map((server) => server.close()));
      folder.remove();
    }
  });

  it('are kept from GET', async () => assert.equal((await test.get(BUILDS)).status, 405));
});
