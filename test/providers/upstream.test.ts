import assert from 'node:assert/strict';
import type { RequestListener, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import nock from 'nock';
import { z } from 'zod';
import {
  createUpstream,
  type Upstream,
  UpstreamAbsent,
  UpstreamError,
  type UpstreamEvent,
  UpstreamLimited,
  UpstreamRefused,
  type UpstreamSettings,
} from '../../lib/providers/index.ts';
import { play, type TestServer } from '../server.ts';

const Shape = z.object({ number: z.number() });
const JSON_TYPE = { 'content-type': 'application/json' };
const CREDENTIALS = { authorization: 'Bearer s3cret' };

describe('upstream', () => {
  const open: { close(): Promise<void> }[] = [];

  before(() => nock.enableNetConnect());
  afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));

  /** A backend on loopback and the way to it. */
  async function between(answer: RequestListener, settings: Partial<UpstreamSettings> = {}) {
    const server = await play(answer);
    const upstream = wayTo(server.origin, settings);
    open.push(server);
    const url = (path = '/runs') => new URL(path, server.origin);
    return { server, upstream, url, ask: (path?: string) => upstream.json(url(path), Shape, { headers: CREDENTIALS }) };
  }

  function wayTo(origin: string, settings: Partial<UpstreamSettings> = {}): Upstream {
    const upstream = createUpstream({ origin, userAgent: 'signalbox/test', timeoutMs: 5_000, ...settings });
    open.push(upstream);
    return upstream;
  }

  const well = (response: ServerResponse, number = 7) =>
    response.writeHead(200, JSON_TYPE).end(JSON.stringify({ number }));

  describe('an answer', () => {
    it('is read by the schema; what it does not name is left out', async () => {
      const { ask } = await between((_, response) =>
        response.writeHead(200, JSON_TYPE).end('\ufeff{"number":7,"more":1}'),
      );
      assert.deepEqual(await ask(), { number: 7 });
    });

    it('is asked for with credentials, a name and in JSON', async () => {
      const { ask, server } = await between((_, response) => well(response));
      await ask('/runs?branch=a%2Fb');
      const [{ method, url, headers } = { method: '', url: '', headers: {} }] = server.got;
      assert.deepEqual([method, url], ['GET', '/runs?branch=a%2Fb']);
      assert.equal(headers.authorization, 'Bearer s3cret');
      assert.equal(headers['user-agent'], 'signalbox/test');
      assert.equal(headers.accept, 'application/json');
    });

    it('may be a text with its headers', async () => {
      const { upstream, url } = await between((_, response) => response.writeHead(200, { 'x-more': '1' }).end('<a/>'));
      const { text, headers } = await upstream.text(url());
      assert.deepEqual([text, headers['x-more']], ['<a/>', '1']);
    });

    it('to a POST carries its body as JSON', async () => {
      const { upstream, url } = await between((request, response) => {
        request.setEncoding('utf8').on('data', (body: string) => {
          assert.equal(request.headers['content-type'], 'application/json');
          well(response, JSON.parse(body).ask);
        });
      });
      assert.deepEqual(await upstream.json(url(), Shape, { method: 'POST', body: { ask: 9 } }), { number: 9 });
    });

    const kinds: readonly [string, number, Record<string, string>, string, new (message: string) => Error, RegExp][] = [
      ['401', 401, {}, '{}', UpstreamRefused, /refused us with 401/],
      ['403', 403, {}, '{}', UpstreamRefused, /refused us with 403/],
      ['403 of a used-up quota', 403, { 'x-ratelimit-remaining': '0' }, '{}', UpstreamLimited, /slow down/],
      ['404', 404, {}, '{}', UpstreamAbsent, /no such thing/],
      ['410', 410, {}, '{}', UpstreamAbsent, /no such thing/],
      ['422', 422, {}, '{}', UpstreamAbsent, /no such thing/],
      ['429', 429, {}, '{}', UpstreamLimited, /slow down/],
      ['400', 400, {}, '{}', UpstreamError, /answered 400/],
      ['500', 500, {}, '{}', UpstreamError, /answered 500/],
      ['304 that nobody asked for', 304, {}, '', UpstreamError, /answered 304/],
      ['a sign-in page', 200, { 'content-type': 'text/html; charset=utf-8' }, '<form>', UpstreamRefused, /web page/],
      ['broken JSON', 200, JSON_TYPE, '{"number":', UpstreamError, /cannot be read/],
      ['nothing', 200, JSON_TYPE, '', UpstreamError, /cannot be read/],
      ['another shape', 200, JSON_TYPE, '{"number":"7"}', UpstreamError, /another shape: number: /],
      ['another root', 200, JSON_TYPE, '[]', UpstreamError, /another shape: root: /],
    ];
    for (const [name, status, headers, body, Kind, message] of kinds) {
      it(`of ${name} is ${Kind.name}, and tells no secret`, async () => {
        const { ask, server } = await between((_, response) => response.writeHead(status, headers).end(body));
        const error = await errorOf(ask('/runs?private_token=s3cret'));
        assert.ok(error instanceof Kind, inspect(error));
        assert.match(error.message, message);
        assert.ok(error.message.includes(server.origin), 'says who answered');
        assert.doesNotMatch(inspect(error, { depth: 9 }), /s3cret/);
      });
    }

    it('of 404 is nothing to `find`, and any other trouble is trouble', async () => {
      let status = 404;
      const { upstream, url } = await between((_, response) =>
        response.writeHead(status, JSON_TYPE).end('{"number":7}'),
      );
      assert.equal(await upstream.find(url(), Shape), undefined);
      status = 500;
      await assert.rejects(upstream.find(url(), Shape), UpstreamError);
      status = 200;
      assert.deepEqual(await upstream.find(url(), Shape), { number: 7 });
    });
  });

  describe('time', () => {
    it('ends the wait for a backend that never answers', async () => {
      const { ask } = await between(() => {}, { timeoutMs: 100 });
      await assert.rejects(ask(), { name: 'UpstreamError', message: /did not answer within 100 ms/ });
    });

    it('ends an answer that drips', async () => {
      let drops = 0;
      const hungUp = Promise.withResolvers<void>();
      const { ask } = await between(
        (_, response) => {
          response.writeHead(200, JSON_TYPE);
          const drip = setInterval(() => {
            response.write(' ');
            drops += 1;
          }, 20);
          response.on('close', () => {
            clearInterval(drip);
            hungUp.resolve();
          });
        },
        { timeoutMs: 200 },
      );
      await assert.rejects(ask(), { name: 'UpstreamError', message: /within 200 ms/ });
      await hungUp.promise;
      assert.ok(drops > 1, 'it did drip');
    });

    it('is one budget for a request with its redirects', async () => {
      const { ask, server } = await between(
        (_, response) => {
          setTimeout(() => response.writeHead(302, { location: '/' }).end(), 100);
        },
        { timeoutMs: 300 },
      );
      await assert.rejects(ask('/'), { message: /within 300 ms/ });
      assert.ok(server.got.length < 4, `${server.got.length} requests`);
    });
  });

  describe('size', () => {
    const limit = 64 * 1024;

    for (const [kind, headers] of [
      ['without a content-length', {}],
      ['with a content-length of 1 GB', { 'content-length': String(1024 ** 3) }],
    ] as const) {
      it(`a huge answer ${kind} ends at maxBytes`, async () => {
        let sent = 0;
        const hungUp = Promise.withResolvers<void>();
        const { ask, server } = await between(
          (_, response) => {
            response.writeHead(200, { ...JSON_TYPE, ...headers }).on('close', hungUp.resolve);
            const chunk = Buffer.alloc(16 * 1024, ' ');
            const pour = () => {
              while (!response.destroyed && response.write(chunk)) sent += chunk.length;
            };
            response.on('drain', pour);
            pour();
          },
          { maxBytes: limit },
        );
        await assert.rejects(ask(), { name: 'UpstreamError', message: /answered more than 65536 bytes/ });
        await hungUp.promise;
        assert.ok(sent < 16 * 1024 ** 2, `${sent} bytes were poured`);
        assert.equal(server.got.length, 1, 'it is not asked for again');
      });
    }

    it('an answer of just maxBytes is read', async () => {
      const body = '{"number":7}'.padEnd(limit);
      const { ask } = await between((_, response) => response.writeHead(200, JSON_TYPE).end(body), { maxBytes: limit });
      assert.deepEqual(await ask(), { number: 7 });
    });
  });

  describe('a long answer', () => {
    const parse = JSON.parse;
    /** The lengths of the texts that JSON.parse was given. */
    const parsed: number[] = [];
    /** How often the loop had turned when an item was read. */
    const turns: number[] = [];
    let turned = 0;
    let next: NodeJS.Immediate;
    const Items = z.object({ items: z.array(z.object({ number: z.number() }).refine(() => turns.push(turned))) });

    beforeEach(() => {
      parsed.length = 0;
      turns.length = 0;
      JSON.parse = (text, reviver) => {
        parsed.push(text.length);
        return parse(text, reviver);
      };
      const count = () => {
        turned += 1;
        next = setImmediate(count);
      };
      count();
    });
    afterEach(() => {
      JSON.parse = parse;
      clearImmediate(next);
    });

    /** As many items, with an umlaut in each, so that some are cut where they are sent. */
    const listOf = (length: number) => ({
      items: Array.from({ length }, (_, number) => ({ number, name: `Zürich ${number}` })),
    });
    const numbersOf = ({ items }: { items: { number: number }[] }) => items.map(({ number }) => number);
    const send = (body: string) =>
      between((request, response) => {
        if (request.headers['if-none-match']) response.writeHead(304).end();
        else response.writeHead(200, { ...JSON_TYPE, etag: '"one"' }).end(body);
      });

    it('is read in slices, by JSON.parse and by the schema; the loop turns in between', async () => {
      const list = listOf(20_000);
      const { upstream, url } = await send(`\ufeff${JSON.stringify(list)}`);
      for (const time of ['fresh', 'remembered']) {
        parsed.length = 0;
        turns.length = 0;
        const before = turned;
        assert.deepEqual(numbersOf(await upstream.json(url(), Items)), numbersOf(list), time);
        assert.ok(Math.max(...parsed) < 70_000, `${Math.max(...parsed)} characters at once`);
        assert.ok(turned - before > 100, `${turned - before} turns`);
        assert.ok(new Set(turns).size >= 200, `the schema was read in ${new Set(turns).size} turns`);
      }
    });

    it('that is not so long is read at once', async () => {
      const list = listOf(2_500);
      const body = JSON.stringify(list);
      assert.ok(body.length > 90_000);
      const { upstream, url } = await send(body);
      assert.deepEqual(numbersOf(await upstream.json(url(), Items)), numbersOf(list));
      assert.deepEqual(
        parsed.filter((length) => length > 1_000),
        [body.length],
      );
      assert.equal(new Set(turns).size, 1);
    });

    const body = JSON.stringify(listOf(20_000));
    const broken: readonly [string, string, RegExp][] = [
      ['that breaks off', body.slice(0, -1), /cannot be read/],
      ['with something after it', `${body}]`, /cannot be read/],
      ['with a comma too many', body.replace(/]}$/, ',]}'), /cannot be read/],
      ['nested without end', '['.repeat(1_000_000), /cannot be read/],
      ['of another shape', body.replace(/"number":19999/, '"number":"x"'), /another shape: items\.19999\.number: /],
      ['of another root', JSON.stringify('x'.repeat(200_000)), /another shape: root: /],
      ['without the list', JSON.stringify({ more: 'x'.repeat(200_000) }), /another shape: items: .*expected array/],
    ];
    for (const [name, text, message] of broken) {
      it(`${name} is UpstreamError`, async () => {
        const { upstream, url } = await send(text);
        await assert.rejects(upstream.json(url(), Items), { name: 'UpstreamError', message });
      });
    }

    it('in another language is not read: it would be read at once', async () => {
      const { upstream, url } = await between((request, response) =>
        response.writeHead(200).end('x'.repeat(Number(request.url?.slice(1)))),
      );
      const parseOther = (text: string) => ({ number: text.length });
      assert.deepEqual(await upstream.parsed(url('/65536'), parseOther, Shape), { number: 65_536 });
      await assert.rejects(upstream.parsed(url('/65537'), parseOther, Shape), {
        name: 'UpstreamError',
        message: /answered more than 65536 bytes/,
      });
      assert.deepEqual(await upstream.parsed(url('/65537'), parseOther, Shape, { maxBytes: 1e6 }), { number: 65_537 });
    });
  });

  describe('a part of an answer', () => {
    it('that has the JSON is found by `unwrap`', async () => {
      const { upstream, url } = await between((_, response) => response.writeHead(200).end('data: {"number":7}\n\n'));
      assert.deepEqual(await upstream.json(url(), Shape, { unwrap: (text) => text.slice(6) }), { number: 7 });
    });

    it('is enough where `until` says so, though it comes in pieces', async () => {
      const { upstream, url } = await between((_, response) => {
        const pieces = [
          'data: Z',
          Buffer.from('ü').subarray(0, 1),
          Buffer.from('ü').subarray(1),
          'rich\n',
          '\n',
          'more',
        ];
        const drip = setInterval(() => response.write(pieces.shift() ?? ' '), 10);
        response.on('close', () => clearInterval(drip));
      });
      const { text } = await upstream.text(url(), { until: '\n\n' });
      assert.equal(text, 'data: Zürich\n\n');
    });
  });

  describe('a redirect', () => {
    for (const status of [301, 302, 303, 307, 308]) {
      it(`${status} to another host is not followed, and gets no credentials`, async () => {
        const other = await play((_, response) => well(response));
        open.push(other);
        const { ask } = await between((_, response) =>
          response.writeHead(status, { location: `${other.origin}/x` }).end(),
        );
        await assert.rejects(ask(), UpstreamRefused);
        assert.equal(other.got.length, 0);
      });
    }

    for (const location of ['//evil.test/x', 'https://127.0.0.1/', 'ftp://127.0.0.1/', 'http://user@localhost/']) {
      it(`to ${location} is not followed`, async () => {
        const { ask, server } = await between((_, response) => response.writeHead(302, { location }).end());
        await assert.rejects(ask(), UpstreamRefused);
        assert.equal(server.got.length, 1);
      });
    }

    it('within the origin is followed with credentials', async () => {
      const { ask, server } = await between((request, response) => {
        if (request.url === '/runs') response.writeHead(301, { location: 'moved?x=1' }).end();
        else well(response);
      });
      assert.deepEqual(await ask(), { number: 7 });
      assert.deepEqual(pathsOf(server), ['/runs', '/moved?x=1']);
      assert.equal(server.got[1]?.headers.authorization, 'Bearer s3cret');
    });

    it('is followed three times at most', async () => {
      const { ask, server } = await between((_, response) => response.writeHead(302, { location: '/runs' }).end());
      await assert.rejects(ask(), { name: 'UpstreamError', message: /redirects more than 3 times/ });
      assert.equal(server.got.length, 4);
    });

    it('to nothing is an error', async () => {
      const { ask } = await between((_, response) => response.writeHead(302, { location: 'http://' }).end());
      await assert.rejects(ask(), { name: 'UpstreamError', message: /no address/ });
    });

    it('of an address elsewhere is refused before anything is sent', async () => {
      const other = await play((_, response) => well(response));
      open.push(other);
      const { upstream } = await between((_, response) => well(response));
      await assert.rejects(upstream.json(new URL(other.origin), Shape), UpstreamRefused);
      assert.equal(other.got.length, 0);
    });
  });

  describe('a second attempt', () => {
    const failFirst = (fail: (response: ServerResponse) => void): RequestListener => {
      let first = true;
      return (_, response) => {
        if (first) fail(response);
        else well(response);
        first = false;
      };
    };
    const failures: readonly [string, (response: ServerResponse) => void][] = [
      ['502', (response) => response.writeHead(502).end()],
      ['503', (response) => response.writeHead(503).end()],
      ['504', (response) => response.writeHead(504).end()],
      ['a broken connection', (response) => response.destroy()],
      [
        'an answer that breaks off',
        (response) => response.writeHead(200, JSON_TYPE).write('{"num', () => response.destroy()),
      ],
    ];
    for (const [name, fail] of failures) {
      it(`after ${name} is made once for a GET`, async () => {
        const { ask, server } = await between(failFirst(fail));
        assert.deepEqual(await ask(), { number: 7 });
        assert.equal(server.got.length, 2);
      });

      it(`after ${name} is never made for a POST`, async () => {
        const { upstream, url, server } = await between(failFirst(fail));
        await assert.rejects(upstream.json(url(), Shape, { method: 'POST', body: {} }), UpstreamError);
        assert.equal(server.got.length, 1);
      });

      it(`after ${name} is the last`, async () => {
        const { ask, server } = await between((_, response) => fail(response));
        await assert.rejects(ask(), UpstreamError);
        assert.equal(server.got.length, 2);
      });
    }

    for (const status of [400, 401, 404, 429, 500, 501]) {
      it(`is not made after ${status}`, async () => {
        const { ask, server } = await between((_, response) => response.writeHead(status).end());
        await assert.rejects(ask());
        assert.equal(server.got.length, 1);
      });
    }
  });

  describe('Retry-After', () => {
    it('of a 503 is kept to: it is not asked again', async () => {
      const { ask, server } = await between((_, response) => response.writeHead(503, { 'retry-after': '120' }).end());
      await assert.rejects(ask(), UpstreamLimited);
      assert.equal(server.got.length, 1);
    });

    const date = 'Tue, 01 Jan 2030 00:00:00 GMT';
    const times: readonly [Record<string, string>, number | undefined, string][] = [
      [{ 'retry-after': '120' }, 120, 'in seconds'],
      [{ 'retry-after': '0' }, 0, 'now'],
      [{ 'ratelimit-reset': '30' }, 30, 'as the reset in seconds'],
      [{}, undefined, 'without a time'],
      [{ 'retry-after': 'soon' }, undefined, 'that is no time'],
      [{ 'retry-after': '99999999999999999999' }, undefined, 'beyond all time'],
      [{ 'x-ratelimit-reset': '9'.repeat(30) }, undefined, 'as a reset beyond all time'],
    ];
    for (const [headers, seconds, name] of times) {
      it(`of a 429 ${name}`, async () => {
        const { ask } = await between((_, response) => response.writeHead(429, headers).end());
        const before = Date.now();
        const error = await errorOf(ask());
        assert.ok(error instanceof UpstreamLimited, inspect(error));
        const at = error.retryAt?.getTime();
        if (seconds === undefined) assert.equal(at, undefined);
        else assert.ok(at !== undefined && before + seconds * 1000 <= at && at <= Date.now() + seconds * 1000, `${at}`);
      });
    }
    for (const headers of [{ 'retry-after': date }, { 'x-ratelimit-reset': String(Date.parse(date) / 1000) }]) {
      it(`of a 429 as an instant: ${JSON.stringify(headers)}`, async () => {
        const { ask } = await between((_, response) => response.writeHead(429, headers).end());
        const error = await errorOf(ask());
        assert.ok(error instanceof UpstreamLimited);
        assert.deepEqual(error.retryAt, new Date(date));
      });
    }
  });

  describe('an ETag', () => {
    it('is sent back, and a 304 means the same answer', async () => {
      let drawn = 0;
      const { ask, server } = await between((request, response) => {
        if (request.headers['if-none-match'] === '"one"') return response.writeHead(304).end();
        drawn += 1;
        return response.writeHead(200, { ...JSON_TYPE, etag: '"one"' }).end('{"number":7}');
      });
      for (let time = 0; time < 3; time += 1) assert.deepEqual(await ask(), { number: 7 });
      assert.equal(server.got.length, 3);
      assert.equal(drawn, 1);
    });

    it('is that of the newest answer', async () => {
      let number = 0;
      const { ask, server } = await between((_, response) => {
        number += 1;
        response.writeHead(200, { ...JSON_TYPE, etag: `"${number}"` }).end(JSON.stringify({ number }));
      });
      assert.deepEqual([await ask(), await ask(), await ask()], [{ number: 1 }, { number: 2 }, { number: 3 }]);
      assert.deepEqual(
        server.got.map(({ headers }) => headers['if-none-match']),
        [undefined, '"1"', '"2"'],
      );
    });

    it('belongs to its address, and to GET alone', async () => {
      const { upstream, ask, url, server } = await between((_, response) =>
        response.writeHead(200, { ...JSON_TYPE, etag: '"one"' }).end('{"number":7}'),
      );
      await ask('/a');
      await ask('/b');
      await upstream.json(url('/a'), Shape, { method: 'POST', body: {} });
      assert.deepEqual(
        server.got.map(({ headers }) => headers['if-none-match']),
        [undefined, undefined, undefined],
      );
    });

    it('of an error is forgotten', async () => {
      const { ask, server } = await between((_, response) => response.writeHead(404, { etag: '"one"' }).end('{}'));
      await errorOf(ask());
      await errorOf(ask());
      assert.equal(server.got[1]?.headers['if-none-match'], undefined);
    });
  });

  describe('concurrency', () => {
    it('no more requests are under way than the limit says; the others wait in line', async () => {
      let underWay = 0;
      let most = 0;
      const { ask, server } = await between(
        (_, response) => {
          underWay += 1;
          most = Math.max(most, underWay);
          setTimeout(() => {
            underWay -= 1;
            well(response);
          }, 5);
        },
        { concurrency: 2 },
      );
      await Promise.all(Array.from({ length: 9 }, () => ask()));
      assert.equal(server.got.length, 9);
      assert.equal(most, 2);
    });
  });

  it('tells of every request when it has ended', async () => {
    const events: UpstreamEvent[] = [];
    let first = true;
    const { ask, server } = await between(
      (_, response) => {
        if (first) response.destroy();
        else well(response);
        first = false;
      },
      { onRequest: (event) => events.push(event) },
    );
    await ask();
    assert.deepEqual(
      events.map(({ origin, status }) => [origin, status]),
      [
        [server.origin, 'error'],
        [server.origin, 200],
      ],
    );
  });

  it('says who cannot be reached, and why', async () => {
    const { origin, close } = await play(() => {});
    await close();
    const error = await errorOf(wayTo(origin).json(new URL('/?token=s3cret', origin), Shape, { headers: CREDENTIALS }));
    assert.ok(error instanceof UpstreamError);
    assert.equal(error.message, `${origin} cannot be reached (ECONNREFUSED)`);
    assert.doesNotMatch(inspect(error, { depth: 9 }), /s3cret/);
  });

  it('is closed before it was ever used', () => createUpstream({ origin: 'https://ci.test', userAgent: 'x' }).close());
});

const pathsOf = ({ got }: TestServer) => got.map(({ url }) => url);

function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => assert.fail('it went well'),
    (error: unknown) => error,
  );
}
