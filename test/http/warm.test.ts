import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, type Life, toAnswer } from '../../lib/http/answer.ts';
import { Drawing, type Encoding } from '../../lib/http/drawing.ts';
import { createRequests } from '../../lib/http/requests.ts';
import { createWarm } from '../../lib/http/warm.ts';
import { createLog, createMetrics, type Metrics } from '../../lib/observe/index.ts';
import { Stamp, see } from '../../lib/resolving/index.ts';

const SECOND = 1_000;
type Headers = Record<string, string>;

/** Compressing goes on beside the answers: nobody waits for it but this test. */
async function ready(drawing: Drawing, encoding: Encoding): Promise<void> {
  while (!drawing.compressed(encoding)) await new Promise(setImmediate);
}

describe('warm answers', () => {
  let time: number;
  let stamp: Stamp;
  let lines: string[];
  let metrics: Metrics;
  let warm: ReturnType<typeof createWarm>;

  beforeEach(() => {
    time = 1_000_000;
    stamp = new Stamp();
    lines = [];
    metrics = createMetrics();
    const log = createLog('info', { write: (line) => lines.push(line) });
    warm = createWarm({ maxBytes: 100_000, requests: createRequests(log, metrics), now: () => time });
  });

  const requestOf = (url: string, headers: Headers = {}, method = 'GET') =>
    ({ url, method, headers }) as unknown as IncomingMessage;

  function responseOf() {
    const sent = { status: 0, headers: {} as Headers, body: undefined as unknown };
    const response = {
      statusCode: 0,
      writeHead(status: number, list: readonly string[]) {
        sent.status = status;
        this.statusCode = status;
        for (let at = 0; at < list.length; at += 2) sent.headers[(list[at] ?? '').toLowerCase()] = list[at + 1] ?? '';
        return this;
      },
      end(body?: unknown) {
        sent.body = body;
      },
    };
    return { sent, response: response as unknown as ServerResponse };
  }

  const DRAWING = new Drawing('image/svg+xml', `<svg>${' '.repeat(300)}</svg>`);
  const answerOf = (life: Partial<Life> = {}, status = 200, drawing: Drawing | undefined = DRAWING): Answer =>
    toAnswer(
      status,
      { 'Badge-State': 'success' },
      { freshUntil: time + 60 * SECOND, shared: true, seen: see(stamp), ...life },
      drawing,
      'signalbox; fwd=miss',
    );
  const keep = (url: string, answer = answerOf(), headers: Headers = {}, method = 'GET') =>
    warm.keep(requestOf(url, headers, method), answer);
  /** What was sent; `undefined` when the request has to go on. */
  function serve(url: string, headers: Headers = {}, method = 'GET') {
    const { sent, response } = responseOf();
    return warm.serve(requestOf(url, headers, method), response) ? sent : undefined;
  }

  it('are sent again as they were, with an id and an age of their own', () => {
    keep('/a');
    time += 20 * SECOND;
    const sent = serve('/a');
    assert.equal(sent?.status, 200);
    assert.equal(sent?.body, DRAWING.body);
    const { headers } = sent;
    assert.equal(headers['badge-state'], 'success');
    assert.match(headers['x-request-id'] ?? '', /^[\w-]{8}-1$/);
    assert.equal(headers['cache-status'], 'signalbox; hit; detail=warm');
    assert.match(headers['cache-control'] ?? '', /^public, max-age=40,/);
  });

  it('hold until they are not fresh any more', () => {
    keep('/a');
    time += 60 * SECOND - 1;
    assert.ok(serve('/a'));
    time += 1;
    assert.equal(serve('/a'), undefined);
    assert.equal(warm.size, 0);
  });

  it('are kept elsewhere for as long as the asker wants, and no longer than their key', () => {
    const until = time + 30 * SECOND;
    keep('/a', answerOf({ leastSeconds: 600 }));
    keep('/b', answerOf({ leastSeconds: 600, freshUntil: until, until }));
    time += 20 * SECOND;
    assert.match(serve('/a')?.headers['cache-control'] ?? '', /^public, max-age=600,/);
    assert.match(serve('/b')?.headers['cache-control'] ?? '', /^public, max-age=10,/);
  });

  it('hold until something changes that they depend on', () => {
    keep('/a');
    stamp.touch();
    assert.equal(serve('/a'), undefined);
  });

  it('are not kept when something changed before', () => {
    const answer = answerOf();
    stamp.touch();
    keep('/a', answer);
    assert.equal(serve('/a'), undefined);
  });

  it('belong to their address alone', () => {
    keep('/a?key=x');
    for (const url of ['/a', '/a?key=y', '/a?key=x&', '/A?key=x']) assert.equal(serve(url), undefined, url);
  });

  const unkept: readonly [string, () => void][] = [
    ['a POST', () => keep('/a', answerOf(), {}, 'POST')],
    ['a HEAD', () => keep('/a', answerOf(), {}, 'HEAD')],
    ['an error', () => keep('/a', answerOf({}, 404))],
    ['a redirect', () => keep('/a', toAnswer(303, {}, answerOf().life))],
    ['what is not fresh', () => keep('/a', answerOf({ freshUntil: time }))],
    [
      'what depends on nobody knows what',
      () => keep('/a', toAnswer(200, {}, { freshUntil: time + SECOND, shared: true }, DRAWING)),
    ],
    ['an address that is long', () => keep(`/a${'x'.repeat(2_048)}`)],
  ];
  for (const [what, keepIt] of unkept) {
    it(`are not those of ${what}`, () => {
      keepIt();
      assert.equal(warm.size, 0);
    });
  }

  const unserved: readonly [string, Headers, string][] = [
    ['a POST', {}, 'POST'],
    ['a key in a header', { 'x-apikey': 'k' }, 'GET'],
    ['a key in another header', { authorization: 'Bearer k' }, 'GET'],
  ];
  for (const [what, headers, method] of unserved) {
    it(`are not for ${what}`, () => {
      keep('/a');
      assert.equal(serve('/a', headers, method), undefined);
    });
  }

  it('belong to the key that was carried in a header', () => {
    keep('/a', answerOf({ shared: false }), { 'x-apikey': 'k' });
    assert.match(serve('/a', { 'x-apikey': 'k' })?.headers['cache-control'] ?? '', /^private,/);
    const others: Headers[] = [
      {},
      { 'x-apikey': 'K' },
      { authorization: 'k' },
      { 'x-apikey': 'k', authorization: 'k' },
    ];
    for (const headers of others) assert.equal(serve('/a', headers), undefined, JSON.stringify(headers));
  });

  it('carry the id that the client gave its request', () => {
    keep('/a');
    assert.equal(serve('/a', { 'x-request-id': 'mine.1' })?.headers['x-request-id'], 'mine.1');
    assert.notEqual(serve('/a', { 'x-request-id': 'not mine' })?.headers['x-request-id'], 'not mine');
  });

  it('are sent compressed, as 304, or without a body, whichever is asked for', async () => {
    keep('/a');
    await Promise.all((['br', 'gzip'] as const).map((encoding) => ready(DRAWING, encoding)));
    const rows: readonly [Headers, string, number, boolean, string | undefined][] = [
      [{ 'accept-encoding': 'br' }, 'GET', 200, true, 'br'],
      [{}, 'GET', 200, true, undefined],
      [{ 'accept-encoding': 'gzip' }, 'GET', 200, true, 'gzip'],
      [{ 'if-none-match': '*' }, 'GET', 304, false, undefined],
      [{}, 'HEAD', 200, false, undefined],
      [{ 'accept-encoding': 'gzip' }, 'HEAD', 200, false, 'gzip'],
    ];
    for (const [headers, method, status, hasBody, encoding] of rows) {
      const sent = serve('/a', headers, method);
      const seen = [sent?.status, sent?.body !== undefined, sent?.headers['content-encoding']];
      assert.deepEqual(seen, [status, hasBody, encoding], JSON.stringify(headers));
    }
  });

  it('take no more room than they may', () => {
    for (let index = 0; index < 1_000; index += 1) keep(`/${index}`);
    assert.ok(warm.size > 10 && warm.size < 150, `${warm.size} are kept`);
    assert.ok(serve('/999'));
    assert.equal(serve('/0'), undefined);
  });

  it('are counted, and told of to the log without their query', async () => {
    keep('/a?key=s3cret');
    for (let hit = 0; hit < 7; hit += 1) serve('/a?key=s3cret');
    serve('/a?key=s3cret', { 'if-none-match': '*' });
    const text = await metrics.text();
    assert.match(text, /^signalbox_warm_requests_total\{status="200"\} 7$/m);
    assert.match(text, /^signalbox_warm_requests_total\{status="304"\} 1$/m);
    assert.equal(lines.length, 8);
    for (const line of lines) assert.doesNotMatch(line, /s3cret/);
  });
});
