import assert from 'node:assert/strict';
import { digestOf } from '../../lib/access/index.ts';
import { UpstreamError, UpstreamRefused } from '../../lib/providers/index.ts';
import { addKey, removeKey } from '../../lib/storage/index.ts';
import { keyOf, PAGES, startHost, type TestHost } from '../host.ts';

const IMAGE = '/api/ci-badges/image';
const LINK = '/api/ci-badges/link';
const WEB = '$ApplicationName=web';

describe('CI badges', () => {
  let test: TestHost;

  beforeEach(async () => {
    test = await startHost();
  });
  afterEach(() => test.close());

  const state = async (path: string, init?: RequestInit) => (await test.get(path, init)).headers.get('badge-state');

  describe('the examples of the contract', () => {
    const EXAMPLES = [
      `${IMAGE}?API_Key=badges&$ApplicationId=2`,
      `${IMAGE}?key=badges&$ApplicationName=Windows`,
      `${IMAGE}?key=badges&$ApplicationName=InedoCore`,
      `${IMAGE}?Key=badges&$ApplicationName=acme/web`,
      `${IMAGE}?Key=badges&%24ApplicationName=acme%2Fweb`,
    ];
    for (const path of EXAMPLES) {
      it(path, async () => {
        const image = await test.get(path);
        assert.equal(image.status, 200);
        assert.match(image.headers.get('content-type') ?? '', /^image\/svg\+xml/);
        assert.match(await image.text(), /<svg .*build: success/);
        const link = await test.get(path.replace(IMAGE, LINK));
        assert.equal(link.status, 303);
        assert.equal(link.headers.get('location'), PAGES.build);
      });
    }
  });

  describe('keys', () => {
    const form = (text: string) => ({ method: 'POST', body: new URLSearchParams(text) });
    const json = (value: object) => ({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
    });
    const PLACES: [string, string, RequestInit][] = [
      ['query key', `?key=badges&${WEB}`, {}],
      ['query KEY', `?KEY=badges&${WEB}`, {}],
      ['query api_key', `?api_key=badges&${WEB}`, {}],
      ['header X-ApiKey', `?${WEB}`, { headers: { 'x-apikey': 'badges' } }],
      ['Basic api:KEY', `?${WEB}`, { headers: { authorization: `Basic ${btoa('api:badges')}` } }],
      ['form', '', form(`key=badges&${WEB}`)],
      ['JSON', '', json({ API_Key: 'badges', $ApplicationName: 'web' })],
    ];
    for (const [place, query, init] of PLACES) {
      it(`is taken from ${place}`, async () => assert.equal(await state(`${IMAGE}${query}`, init), 'success'));
    }

    it('that do not allow it are one and the same 403', async () => {
      await test.close();
      test = await startHost({}, [
        keyOf('expired', { expiresAt: new Date(0) }),
        keyOf('wrong-scope', { scopes: ['push'] }),
        keyOf('wrong-source', { sources: ['another'] }),
        keyOf('wrong-application', { applications: ['acme/*'] }),
      ]);
      const keys = ['', 'unknown', 'expired', 'wrong-scope', 'wrong-source', 'wrong-application'];
      for (const path of [IMAGE, LINK]) {
        const answers = keys.map((key) => test.get(`${path}?key=${key}&source=ci&${WEB}`));
        const seen = new Set<string>();
        for (const answer of await Promise.all(answers)) {
          assert.equal(answer.status, 403);
          assert.equal(answer.headers.get('cache-control'), 'no-store');
          seen.add(await answer.text());
        }
        assert.equal(seen.size, 1);
      }
      assert.equal(test.fake.asked, 0);
    });

    it('limited to an application show that one', async () => {
      await test.close();
      test = await startHost({}, [keyOf('narrow', { applications: ['acme/*'] })]);
      assert.equal(await state(`${IMAGE}?key=narrow&$ApplicationName=acme/web`), 'success');
    });

    it('are not needed where everybody may see', async () => {
      await test.close();
      test = await startHost({ access: { anonymous: ['ci'] } });
      assert.equal(await state(`${IMAGE}?${WEB}`), 'success');
      assert.equal((await test.get(`${IMAGE}?key=wrong&${WEB}`)).status, 403);
      assert.equal((await test.get(`${IMAGE}?source=push&${WEB}`)).status, 403);
    });

    it('that are revoked in the database are refused, warm answers included', async () => {
      const { database } = test.host.storage;
      const key = { name: 'stored', digest: digestOf('stored'), scopes: ['badges'], createdAt: new Date() };
      await addKey(database, key);
      const path = `${IMAGE}?key=stored&${WEB}`;
      await until(async () => (await test.get(path)).status === 200);
      assert.equal((await test.get(path)).headers.get('cache-status'), 'signalbox; hit; detail=warm');
      await removeKey(database, 'stored');
      await until(async () => (await test.get(path)).status === 403);
    });
  });

  describe('an image', () => {
    const UNKNOWN: [string, string][] = [
      [`?key=badges`, 'bad-request'],
      [`?key=badges&${WEB}&$GitCommit=xyz`, 'bad-request'],
      [`?key=badges&$ApplicationName=`, 'bad-request'],
      [`?key=badges&${WEB}&$Tag=v1`, 'no-match'],
      [`?key=badges&${WEB}&job=lint`, 'unsupported-filter'],
      [`?key=badges&${WEB}&$BuildNumber=40`, 'no-match'],
      [`?key=badges&${WEB}&source=nowhere`, 'unknown-source'],
      [`?key=badges&$ApplicationName=a%00b`, 'bad-request'],
      [`?key=badges&$ApplicationName=${'x'.repeat(5_000)}`, 'bad-request'],
    ];
    for (const [query, reason] of UNKNOWN) {
      it(`is unknown, 200, ${reason}: ${query.slice(0, 60)}`, async () => {
        const answer = await test.get(IMAGE + query);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers.get('badge-state'), 'unknown');
        assert.equal(answer.headers.get('badge-reason'), reason);
        assert.match(await answer.text(), /^<svg /);
      });
    }

    it('is a picture even for a broken body', async () => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"broken' };
      const answer = await test.get(`${IMAGE}?key=badges&${WEB}`, init);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('badge-reason'), 'bad-request');
    });

    it('takes the first of an argument that is given twice, and says so', async () => {
      const answer = await test.get(`${IMAGE}?key=badges&$ApplicationName=web&$applicationname=other`);
      assert.equal(answer.headers.get('badge-state'), 'success');
      assert.equal(answer.headers.get('badge-reason'), 'duplicate-argument');
    });

    for (const [error, reason] of [
      [new UpstreamError('down'), 'upstream-unreachable'],
      [new UpstreamRefused('no'), 'upstream-refused'],
      [new TypeError('a bug'), 'internal-error'],
    ] as const) {
      it(`is unknown with ${reason} when nothing was ever known`, async () => {
        test.fake.executions = error;
        const answer = await test.get(`${IMAGE}?key=badges&${WEB}`);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers.get('badge-reason'), reason);
        assert.doesNotMatch(await answer.text(), /at .*\.ts/);
      });
    }

    it('keeps its last state while the CI is down, says since when, and follows when it is back', async () => {
      await test.close();
      test = await startHost({ freshness: { settledSeconds: 0, settledStaleSeconds: 0, retrySeconds: 0 } });
      const path = `${IMAGE}?key=badges&${WEB}`;
      assert.equal(await state(path), 'success');
      test.fake.executions = new UpstreamError('down');
      const stale = await test.get(path);
      assert.equal(stale.headers.get('badge-state'), 'success');
      assert.equal(stale.headers.get('badge-reason'), 'upstream-unreachable');
      assert.match(stale.headers.get('badge-stale') ?? '', /^since \d{4}-/);
      assert.match(await stale.text(), /<title>build: success, last known at /);
      test.fake.executions = [{ outcome: 'failed' }];
      await until(async () => (await state(path)) === 'error');
    });

    it('is asked for once, however many wait', async () => {
      test.fake.delayMs = 50;
      const crowd = Array.from({ length: 500 }, () => test.get(`${IMAGE}?key=badges&${WEB}`));
      const states = new Set((await Promise.all(crowd)).map((answer) => answer.headers.get('badge-state')));
      assert.deepEqual([...states], ['success']);
      assert.equal(test.fake.asked, 1);
    });

    it('turns reasons into errors with strict=1', async () => {
      const path = `${IMAGE}?key=badges&strict=1&${WEB}`;
      assert.equal((await test.get(path)).status, 200);
      assert.equal((await test.get(`${path}&$BuildNumber=1`)).status, 404);
      assert.equal((await test.get(`${path}&job=x`)).status, 400);
    });

    it('comes as JSON, text and for shields', async () => {
      const path = `${IMAGE}?key=badges&${WEB}&format=`;
      const facts = (await (await test.get(`${path}json`)).json()) as Record<string, unknown>;
      assert.equal(facts.state, 'success');
      assert.equal(facts.build, '41');
      assert.equal(await (await test.get(`${path}txt`)).text(), 'success\n');
      const endpoint = (await (await test.get(`${path}endpoint`)).json()) as Record<string, unknown>;
      assert.equal(endpoint.schemaVersion, 1);
      assert.equal(endpoint.message, 'success');
    });
  });

  describe('HTTP', () => {
    const path = `${IMAGE}?key=badges&${WEB}`;

    for (const encoding of ['identity', 'gzip', 'br']) {
      it(`answers 304 to the tag of ${encoding}, warm or not, and draws nothing again`, async () => {
        const headers = { 'accept-encoding': encoding };
        for (const warm of [false, true]) {
          // A compressed form is made when it is first wanted, and sent from then on.
          let first: Response;
          do {
            first = await test.get(path, { headers });
          } while (warm && (first.headers.get('content-encoding') ?? 'identity') !== encoding);
          assert.match(await first.text(), /^<svg /);
          const tag = first.headers.get('etag') ?? '';
          assert.match(tag, /^"[\w-]+"$/);
          const second = await test.get(path, { headers: { ...headers, 'if-none-match': tag } });
          assert.equal(second.status, 304, `warm: ${warm}`);
          assert.equal(await second.text(), '');
        }
        assert.equal(test.fake.asked, 1);
      });
    }

    it('answers HEAD without a body', async () => {
      for (let round = 0; round < 2; round += 1) {
        const answer = await test.get(path, { method: 'HEAD' });
        assert.equal(answer.status, 200);
        assert.ok(Number(answer.headers.get('content-length')) > 500);
        assert.equal(await answer.text(), '');
        await test.get(path);
      }
    });

    it('refuses other methods with Allow, and answers OPTIONS', async () => {
      for (const method of ['PUT', 'DELETE', 'PATCH']) {
        const answer = await test.get(path, { method });
        assert.equal(answer.status, 405);
        assert.equal(answer.headers.get('allow'), 'GET, HEAD, POST, OPTIONS');
        assert.equal(answer.headers.get('cache-control'), 'no-store');
      }
      assert.equal((await test.get(path, { method: 'OPTIONS' })).status, 204);
    });

    it('has the same headers warm and not', async () => {
      const headers = { 'accept-encoding': 'identity' };
      const cold = await test.get(path, { headers });
      const warm = await test.get(path, { headers });
      assert.equal(warm.headers.get('cache-status'), 'signalbox; hit; detail=warm');
      const own = ['x-request-id', 'date', 'cache-status', 'cache-control'];
      const names = (answer: Response) => [...answer.headers.keys()].sort();
      assert.deepEqual(names(warm), names(cold));
      for (const [name, value] of cold.headers) {
        if (!own.includes(name)) assert.equal(warm.headers.get(name), value, name);
      }
      assert.match(warm.headers.get('content-security-policy') ?? '', /default-src 'none'.*sandbox/);
      assert.equal(warm.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(warm.headers.get('access-control-allow-origin'), '*');
      assert.match(warm.headers.get('access-control-expose-headers') ?? '', /Badge-State/);
      assert.match(
        warm.headers.get('cache-control') ?? '',
        /^public, max-age=\d+, stale-while-revalidate=\d+, stale-if-error=/,
      );
    });

    it('says something of caching in every answer', async () => {
      for (const other of [
        '/nowhere',
        '/healthz',
        '/readyz',
        LINK,
        IMAGE,
        '/api/builds',
        '/hooks/ci',
        '/api/v4/projects/1',
      ]) {
        assert.ok((await test.get(other)).headers.get('cache-control'), other);
      }
    });

    it('keeps an answer to a key in a header from shared caches', async () => {
      const answer = await test.get(`${IMAGE}?${WEB}`, { headers: { 'x-apikey': 'badges' } });
      assert.match(answer.headers.get('cache-control') ?? '', /^private/);
      assert.equal((await test.get(`${IMAGE}?${WEB}`)).status, 403);
    });

    it('is served below a base path', async () => {
      await test.close();
      test = await startHost({ server: { port: 0, basePath: '/badges' } });
      assert.equal(await state(path), 'success');
      assert.match(test.address, /\/badges$/);
    });
  });

  describe('a link', () => {
    for (const [page, address] of Object.entries(PAGES)) {
      it(`leads to the page of the ${page}`, async () => {
        const answer = await test.get(`${LINK}?key=badges&${WEB}&page=${page}`);
        assert.equal(answer.status, 303);
        assert.equal(answer.headers.get('location'), address);
      });
    }

    it('is a 400 that says why when there is none', async () => {
      const unknownPage = await test.get(`${LINK}?key=badges&${WEB}&page=nowhere`);
      assert.equal(unknownPage.status, 400);
      assert.match(await unknownPage.text(), /build, release, application, execution/);
      const noMatch = await test.get(`${LINK}?key=badges&${WEB}&$BuildNumber=1`);
      assert.equal(noMatch.status, 400);
      assert.match(await noMatch.text(), /no build matches/);
    });
  });

  it('never shows a key or a secret: not in an answer, a header, a log', async () => {
    const key = 'badges';
    test.fake.executions = new UpstreamError('down');
    let shown = '';
    for (const path of [IMAGE, LINK, '/api/builds', '/nowhere', '/api/v4/projects']) {
      const answer = await test.get(`${path}?key=${key}&private_token=${key}&${WEB}&token=s3cret`);
      shown += (await answer.text()) + JSON.stringify([...answer.headers]);
    }
    assert.doesNotMatch(shown, /s3cret|key=badges|private_token=badges/);
    assert.match(test.logged(), /"path":"\/api\/ci-badges\/image"/);
    assert.doesNotMatch(test.logged(), /s3cret|key=badges|private_token/);
  });

  it('finishes what is under way before it closes', async () => {
    test.fake.delayMs = 200;
    const answer = test.get(`${IMAGE}?key=badges&${WEB}`);
    await until(async () => test.fake.asked === 1);
    await test.close();
    assert.equal((await answer).headers.get('badge-state'), 'success');
    await assert.rejects(test.get('/healthz'));
  });
});

/** Waits until something holds; mocha's own time limit ends it. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
