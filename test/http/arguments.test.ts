import assert from 'node:assert/strict';
import fc from 'fast-check';
import { queryArguments } from '../../lib/http/arguments.ts';
import { keyOf, startHost, type TestHost } from '../host.ts';

const IMAGE = '/api/ci-badges/image';

describe('arguments of a request', () => {
  let test: TestHost;

  before(async () => {
    test = await startHost({}, [keyOf('badges'), keyOf('b:c'), keyOf('schlüssel')]);
  });
  after(() => test.close());

  it('are those that URLSearchParams reads, encoded or not', () => {
    const characters = fc.constantFrom(
      'a',
      'B',
      '$',
      '&',
      '=',
      '?',
      '#',
      '%',
      '%4',
      '%41',
      '+',
      ';',
      '[',
      'é',
      '\u00ff',
    );
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
        assert.deepEqual(queryArguments(`/path?${text}`), [...new URLSearchParams(`?${text}`)]);
      }),
      { numRuns: 2_000 },
    );
    assert.deepEqual(queryArguments('/path'), []);
  });

  const json = (value: unknown, more: Record<string, string> = {}): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...more },
    body: typeof value === 'string' ? value : JSON.stringify(value),
  });
  const form = (text: string, type = 'application/x-www-form-urlencoded'): RequestInit => {
    return { method: 'POST', headers: { 'content-type': type }, body: text };
  };
  const basic = (text: string) => ({ headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` } });

  const keys: readonly [string, string, RequestInit, number][] = [
    ['query key', '?key=badges', {}, 200],
    ['query Key', '?Key=badges', {}, 200],
    ['query API_Key', '?API_Key=badges', {}, 200],
    ['query api_key', '?api_key=badges', {}, 200],
    ['query, an empty one first', '?key=&API_Key=badges', {}, 200],
    ['query, encoded', '?%6Bey=%62adges', {}, 200],
    ['query, of letters beyond ASCII', '?key=schl%C3%BCssel', {}, 200],
    ['query with another name', '?apikey=badges', {}, 403],
    ['query in another case', '?key=Badges', {}, 403],
    ['query before a header', '?key=wrong', { headers: { 'x-apikey': 'badges' } }, 403],
    ['header X-ApiKey', '', { headers: { 'X-ApiKey': 'badges' } }, 200],
    ['header before a form', '', { ...form('key=badges'), headers: { 'x-apikey': 'wrong' } }, 403],
    ['Bearer', '', { headers: { authorization: 'Bearer badges' } }, 200],
    ['bearer without a key', '', { headers: { authorization: 'Bearer' } }, 403],
    ['Basic api:KEY', '', basic('api:badges'), 200],
    ['basic api:KEY with a colon in it', '', { headers: { authorization: `basic ${btoa('api:b:c')}` } }, 200],
    ['Basic of letters beyond ASCII', '', basic('api:schlüssel'), 200],
    ['Basic of another user', '', basic('admin:badges'), 403],
    ['Basic without a key', '', basic('api:'), 403],
    ['Basic that is none', '', { headers: { authorization: 'Basic %%%' } }, 403],
    ['form key', '', form('key=badges'), 200],
    ['form API_KEY', '', form('API_KEY=badges'), 200],
    ['form with a charset', '', form('key=badges', 'application/x-www-form-urlencoded; charset=utf-8'), 200],
    ['form without a type', '', form('key=badges', ''), 200],
    ['JSON API_Key', '', json({ API_Key: 'badges' }), 200],
    ['JSON key', '', json({ key: 'badges' }), 200],
    ['JSON of another kind', '', json({ key: 'badges' }, { 'content-type': 'application/problem+json' }), 200],
    ['JSON, not at the root', '', json({ deep: { key: 'badges' } }), 403],
    ['JSON, a list', '', json(['key', 'badges']), 403],
    ['JSON, nothing', '', json('null'), 403],
    ['JSON, broken', '', json('{"key":"badges"'), 403],
    ['nowhere', '', {}, 403],
  ];
  for (const [place, query, init, status] of keys) {
    it(`a key from ${place}: ${status}`, async () => {
      assert.equal((await test.get(IMAGE + query, init)).status, status);
    });
  }

  const asked: readonly [string, string, RequestInit, string][] = [
    ['the query', '&$ApplicationName=web&$Branch=main', {}, 'success'],
    ['the query, `$` encoded', '&%24ApplicationName=web&%24Branch=main', {}, 'success'],
    ['the query, a space as +', '&$ApplicationName=my+web', {}, 'success'],
    ['a form', '', form('$ApplicationName=web&$Branch=main'), 'success'],
    ['a form, the query first', '&$Branch=none', form('$ApplicationName=web&$Branch=main'), 'unknown'],
    ['JSON', '', json({ $ApplicationName: 'web', $BuildNumber: 41, finished: true }), 'success'],
    ['JSON, lists and objects left out', '', json({ $ApplicationName: 'web', $Branch: ['x'], more: {} }), 'success'],
  ];
  for (const [place, query, init, state] of asked) {
    it(`a build query from ${place}`, async () => {
      const { headers } = await test.get(`${IMAGE}?key=badges${query}`, init);
      assert.equal(headers.get('badge-state'), state);
    });
  }

  it('may be given at two places, of which the first counts', async () => {
    const { headers } = await test.get(`${IMAGE}?key=badges&$ApplicationName=web`, form('$applicationName=other'));
    assert.deepEqual([headers.get('badge-state'), headers.get('badge-reason')], ['success', 'duplicate-argument']);
  });

  const unreadable: readonly [string, RequestInit, RegExp][] = [
    ['broken JSON', json('{'), /no JSON/],
    ['another type', form('<a/>', 'text/xml'), /type `text\/xml` is not read here/],
    ['300 kB', form('x'.repeat(300_000)), /256 kB/],
  ];
  for (const [what, init, detail] of unreadable) {
    it(`a body of ${what} is told beside the picture`, async () => {
      const { status, headers } = await test.get(`${IMAGE}?key=badges`, init);
      assert.deepEqual([status, headers.get('badge-reason')], [200, 'bad-request']);
      assert.match(headers.get('badge-detail') ?? '', detail);
    });

    it(`a body of ${what} is a 400 for a link and a report`, async () => {
      for (const path of ['/api/ci-badges/link', '/api/builds']) {
        const { status, headers } = await test.get(`${path}?key=badges`, init);
        assert.deepEqual([status, headers.get('cache-control') === null], [400, false], path);
      }
    });
  }
});
