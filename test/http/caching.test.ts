import assert from 'node:assert/strict';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { keyOf, startHost, type TestHost } from '../host.ts';

const IMAGE = '/api/ci-badges/image?key=badges&$ApplicationName=web';

interface Raw {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

describe('caching', () => {
  let test: TestHost;

  beforeEach(async () => {
    test = await startHost();
  });
  afterEach(() => test.close());

  /** The answer as it came over the wire: `fetch` would decompress it. */
  function raw(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Raw> {
    return new Promise((resolve, reject) => {
      const asked = request(test.address + path, { method, headers, agent: false }, async (response) => {
        const body = Buffer.concat(await Array.fromAsync(response));
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
      asked.once('error', reject).end();
    });
  }

  /** The answers before and after it is warm. */
  async function twice(path: string, headers?: Record<string, string>, method?: string): Promise<Raw[]> {
    const first = await raw(path, headers, method);
    await raw(path);
    return [first, await raw(path, headers, method)];
  }

  /** The first answer, and one in the compressed form, which is made when it is first wanted: nobody waits for it. */
  async function untilCompressed(headers: Record<string, string>): Promise<Raw[]> {
    const first = await raw(IMAGE, headers);
    for (;;) {
      const next = await raw(IMAGE, headers);
      if (next.headers['content-encoding'] !== undefined) return [first, next];
    }
  }

  describe('forms of a badge', () => {
    const forms: readonly [string | undefined, string | undefined, (body: Buffer) => Buffer][] = [
      [undefined, undefined, (body) => body],
      ['', undefined, (body) => body],
      ['identity', undefined, (body) => body],
      ['deflate, zstd', undefined, (body) => body],
      ['gzip', 'gzip', gunzipSync],
      ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
      ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
      ['BR', 'br', brotliDecompressSync],
      ['gzip;q=0.0, br;q=0', undefined, (body) => body],
    ];
    for (const [accepted, encoding, decode] of forms) {
      it(`${accepted ?? 'nothing'} accepted: ${encoding ?? 'as it is'}`, async () => {
        const plain = await raw(IMAGE);
        const wanted: Record<string, string> = accepted === undefined ? {} : { 'accept-encoding': accepted };
        const answers = encoding ? await untilCompressed(wanted) : await twice(IMAGE, wanted);
        assert.equal(answers.at(-1)?.headers['content-encoding'], encoding);
        for (const { headers, body } of answers) {
          assert.equal(headers.vary, 'Accept-Encoding');
          assert.equal(headers['content-length'], String(body.length));
          assert.deepEqual(headers['content-encoding'] ? decode(body) : body, plain.body);
        }
      });
    }

    it('have tags of their own', async () => {
      const compressed = ['gzip', 'br'].map(async (form) => (await untilCompressed({ 'accept-encoding': form }))[1]);
      const answers = [await raw(IMAGE), ...(await Promise.all(compressed))];
      assert.equal(new Set(answers.map((answer) => answer?.headers.etag)).size, 3);
    });

    it('letters beyond ASCII keep their length', async () => {
      for (const { headers, body } of await twice(`${IMAGE}&label=%C3%BCn%C3%AF%E2%98%83`)) {
        assert.equal(headers['content-length'], String(body.length));
        assert.match(body.toString(), /ünï☃: success/);
      }
    });
  });

  it('a connection that stays gets the headers that one that ends gets, and HTTP/1.0 too', async () => {
    const exchange = (lines: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(Number(new URL(test.address).port), '127.0.0.1', () => socket.write(lines));
        socket.once('error', reject).once('data', (chunk) => {
          resolve(String(chunk).split('\r\n\r\n')[0] ?? '');
          socket.destroy();
        });
      });
    const own = /^(date|connection|keep-alive|x-request-id|cache-control):.*$/i;
    const told = (head: string) =>
      head
        .split('\r\n')
        .filter((line) => !own.test(line))
        .sort();
    await raw(IMAGE);
    for (const more of ['', 'If-None-Match: *\r\n']) {
      const stays = await exchange(`GET ${IMAGE} HTTP/1.1\r\nHost: a\r\n${more}\r\n`);
      const ends = await exchange(`GET ${IMAGE} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${more}\r\n`);
      const old = await exchange(`GET ${IMAGE} HTTP/1.0\r\n${more}\r\n`);
      assert.match(stays, /^Connection: keep-alive\r\nKeep-Alive: timeout=65$/m);
      assert.match(ends, /^Connection: close$/m);
      assert.match(stays, /^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r$/m);
      assert.deepEqual(told(stays), told(ends));
      assert.deepEqual(told(stays), told(old));
    }
  });

  describe('304', () => {
    const known = async (header: (tag: string) => string, more: Record<string, string> = {}) => {
      const tag = (await raw(IMAGE, more)).headers.etag ?? '';
      return raw(IMAGE, { ...more, 'if-none-match': header(tag) });
    };
    const headers: readonly [string, (tag: string) => string, number][] = [
      ['its tag', (tag) => tag, 304],
      ['its tag, weakened by a proxy', (tag) => `W/${tag}`, 304],
      ['its tag among others', (tag) => `"a", ${tag} , "b"`, 304],
      ['any', () => '*', 304],
      ['the tag of its gzip form', (tag) => tag.replace(/"$/, '-gzip"'), 304],
      ['another tag', () => '"a"', 200],
      ['a part of its tag', (tag) => tag.slice(0, -2), 200],
      ['its tag without quotes', (tag) => tag.slice(1, -1), 200],
      ['nothing', () => '', 200],
    ];
    for (const [what, header, status] of headers) {
      it(`for ${what}: ${status}`, async () => {
        assert.equal((await known(header)).status, status);
      });
    }

    it('has no body, and the headers that a cache needs', async () => {
      for (const { status, headers, body } of await twice(IMAGE, { 'if-none-match': '*' })) {
        assert.deepEqual([status, body.length], [304, 0]);
        assert.deepEqual([headers['content-type'] === undefined || headers['content-length'] === undefined], [true]);
        assert.match(headers['cache-control'] ?? '', /^public, max-age=/);
        assert.match(headers.etag ?? '', /^"/);
        assert.equal(headers.vary, 'Accept-Encoding');
      }
    });

    it('answers HEAD too', async () => {
      const { status } = await raw(IMAGE, { 'if-none-match': '*' }, 'HEAD');
      assert.equal(status, 304);
    });

    it('is none any more once the badge looks another', async () => {
      const tag = (await raw(IMAGE)).headers.etag ?? '';
      test.fake.executions = [{ outcome: 'failed' }];
      test.host.resolver.expire('ci', 'web');
      assert.equal((await raw(IMAGE, { 'if-none-match': tag })).status, 200);
    });

    it('is none for an error', async () => {
      const { status } = await raw(`${IMAGE}&$BuildNumber=9&strict=1`, { 'if-none-match': '*' });
      assert.equal(status, 404);
    });
  });

  it('HEAD says what GET would', async () => {
    const get = await raw(IMAGE);
    for (const head of await twice(IMAGE, {}, 'HEAD')) {
      assert.deepEqual([head.status, head.body.length], [200, 0]);
      for (const name of ['content-type', 'content-length', 'etag', 'badge-state', 'vary']) {
        assert.equal(head.headers[name], get.headers[name], name);
      }
    }
  });

  describe('Cache-Control', () => {
    const ageOf = async (path: string) => {
      const { headers } = await raw(path);
      return Number(/^public, max-age=(\d+), /.exec(headers['cache-control'] ?? '')?.[1]);
    };
    const between = (age: number, least: number, most: number) => assert.ok(least <= age && age <= most, `${age} s`);

    const states: readonly ['passed' | 'failed' | 'running' | 'queued', number][] = [
      ['passed', 60],
      ['failed', 60],
      ['running', 10],
      ['queued', 10],
    ];
    for (const [outcome, seconds] of states) {
      it(`gives ${outcome} ${seconds} s`, async () => {
        test.fake.executions = [{ outcome }];
        between(await ageOf(IMAGE), seconds - 3, seconds);
        between(await ageOf(IMAGE), seconds - 3, seconds);
      });
    }

    it('gives less to what could not be found', async () => {
      test.fake.executions = [];
      between(await ageOf(IMAGE), 27, 30);
    });

    it('gives longer where that is asked for, and never less', async () => {
      between(await ageOf(`${IMAGE}&cacheSeconds=600`), 600, 600);
      between(await ageOf(`${IMAGE}&maxAge=600&style=social`), 600, 600);
      between(await ageOf(`${IMAGE}&cacheSeconds=1`), 57, 60);
    });

    it('gives no longer to what went wrong', async () => {
      test.fake.executions = [];
      between(await ageOf(`${IMAGE}&cacheSeconds=600`), 27, 30);
    });

    it('does not outlive its key', async () => {
      await test.close();
      test = await startHost({}, [keyOf('badges', { expiresAt: new Date(Date.now() + 20_000) })]);
      between(await ageOf(IMAGE), 15, 20);
      between(await ageOf(`${IMAGE}&cacheSeconds=600`), 15, 20);
    });

    it('lets caches give an old answer while they ask, and while we are down', async () => {
      const { headers } = await raw(IMAGE);
      assert.match(headers['cache-control'] ?? '', /, stale-while-revalidate=\d+, stale-if-error=86400$/);
    });

    it('is private where a key or its lack is not told by the address', async () => {
      const carried: Record<string, string>[] = [
        { 'x-apikey': 'badges' },
        { authorization: `Basic ${btoa('api:badges')}` },
      ];
      for (const headers of carried) {
        const { headers: answer } = await raw('/api/ci-badges/image?$ApplicationName=web', headers);
        assert.match(answer['cache-control'] ?? '', /^private, max-age=/);
      }
    });
  });

  it('draws once what looks the same, and asks once for what is the same', async () => {
    const paths = ['', '&style=plastic', '&label=x', '&format=json', '&format=txt', '&cacheSeconds=60'];
    for (const more of [...paths, ...paths]) assert.equal((await raw(IMAGE + more)).status, 200);
    assert.equal(test.fake.asked, 1);
    const [one, other] = [await raw(IMAGE), await raw(IMAGE.replace('=web', '=api'))];
    assert.equal(one.headers.etag, other.headers.etag);
  });

  it('lets nobody wait for the backend in the place of others who wait for the same', async () => {
    await test.close();
    test = await startHost({ freshness: { patienceSeconds: 0.2 } });
    test.fake.delayMs = 5_000;
    const startedAt = performance.now();
    const path = IMAGE.replace('image', 'link');
    const answers = await Promise.all(Array.from({ length: 40 }, () => raw(path)));
    for (const { status, headers } of answers) assert.deepEqual([status, headers['badge-reason']], [400, 'timeout']);
    assert.ok(performance.now() - startedAt < 4_000, 'one after the other');
    assert.equal(test.fake.asked, 1);
  });

  it('can be read by pages elsewhere, whatever the answer', async () => {
    const paths = [
      IMAGE,
      '/api/ci-badges/image',
      '/api/ci-badges/link?key=badges',
      '/nowhere',
      '/healthz',
      '/%E0%A4%A',
    ];
    for (const path of paths) {
      const { headers } = await raw(path);
      assert.equal(headers['access-control-allow-origin'], '*', path);
      for (const name of ['Badge-State', 'Badge-Status', 'Badge-Reason', 'Cache-Status', 'ETag']) {
        assert.ok(headers['access-control-expose-headers']?.includes(name), `${name} of ${path}`);
      }
      assert.equal(headers['cross-origin-resource-policy'], 'cross-origin', path);
      assert.equal(headers['x-content-type-options'], 'nosniff', path);
      assert.ok(headers['cache-control'], `cache header of ${path}`);
      assert.equal(headers['x-powered-by'], undefined);
    }
  });

  it('tells a browser what it may send', async () => {
    const { status, headers, body } = await raw(IMAGE, { 'access-control-request-method': 'POST' }, 'OPTIONS');
    assert.deepEqual([status, body.length], [204, 0]);
    assert.equal(headers['access-control-allow-methods'], 'GET, HEAD, POST, OPTIONS');
    assert.match(headers['access-control-allow-headers'] ?? '', /X-ApiKey, Authorization/);
    assert.ok(headers['cache-control']);
  });
});
