import assert from 'node:assert/strict';
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

  it('are kept from GET', async () => assert.equal((await test.get(BUILDS)).status, 405));
});
