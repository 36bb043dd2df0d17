import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from '../../lib/http/answer.ts';
import { toDrawing } from '../../lib/http/drawing.ts';
import { createWarm, SAMPLED } from '../../lib/http/warm.ts';
import { Stamp, see } from '../../lib/resolving/index.ts';

const SECOND = 1_000;
type Headers = Record<string, string>;

describe('warm answers', () => {
  let time: number;
  let stamp: Stamp;
  let sampled: number;
  let warm: ReturnType<typeof createWarm>;

  beforeEach(() => {
    time = 1_000_000;
    stamp = new Stamp();
    sampled = 0;
    warm = createWarm({
      maxBytes: 100_000,
      nextRequestId: () => 'id',
      onSample: () => {
        sampled += 1;
      },
      now: () => time,
    });
  });

  const requestOf = (url: string, headers: Headers = {}, method = 'GET') =>
    ({ url, method, headers }) as unknown as IncomingMessage;

  function responseOf() {
    const sent = { status: 0, headers: {} as Headers, body: undefined as unknown };
    const response = {
      getHeaders: () => ({ 'badge-state': 'success', 'x-request-id': 'first', 'cache-status': 'signalbox; fwd=miss' }),
      writeHead(status: number, list: readonly string[]) {
        sent.status = status;
        for (let at = 0; at < list.length; at += 2) sent.headers[(list[at] ?? '').toLowerCase()] = list[at + 1] ?? '';
      },
      end(body?: unknown) {
        sent.body = body;
      },
    };
    return { sent, response: response as unknown as ServerResponse };
  }

  const answerOf = (more: Partial<Answer> = {}, life: Partial<Answer['life']> = {}): Answer => ({
    status: 200,
    headers: {},
    drawing: toDrawing('image/svg+xml', `<svg>${' '.repeat(300)}</svg>`),
    life: { freshUntil: time + 60 * SECOND, shared: true, seen: see(stamp), ...life },
    ...more,
  });
  const keep = (url: string, answer = answerOf(), headers: Headers = {}, method = 'GET') =>
    warm.keep(requestOf(url, headers, method), responseOf().response, answer);
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
    assert.equal(sent?.body, answerOf().drawing?.body);
    const { headers } = sent;
    assert.deepEqual([headers['badge-state'], headers['x-request-id']], ['success', 'id']);
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
    ['a key in a header', () => keep('/a', answerOf(), { 'x-apikey': 'k' })],
    ['a key in another header', () => keep('/a', answerOf(), { authorization: 'Bearer k' })],
    ['an error', () => keep('/a', answerOf({ status: 404 }))],
    ['a redirect', () => keep('/a', answerOf({ status: 303, drawing: undefined }))],
    ['what nobody may share', () => keep('/a', answerOf({}, { shared: false }))],
    ['what is not fresh', () => keep('/a', answerOf({}, { freshUntil: time }))],
    ['what depends on nobody knows what', () => keep('/a', answerOf({}, { seen: undefined }))],
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
    ['a token in a header', { 'private-token': 'k' }, 'GET'],
  ];
  for (const [what, headers, method] of unserved) {
    it(`are not for ${what}`, () => {
      keep('/a');
      assert.equal(serve('/a', headers, method), undefined);
      assert.equal(warm.hits, 0);
    });
  }

  it('are sent compressed, as 304, or without a body, whichever is asked for', () => {
    keep('/a');
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
    assert.ok(warm.size > 10 && warm.size < 100, `${warm.size} are kept`);
    assert.ok(serve('/999'));
    assert.equal(serve('/0'), undefined);
  });

  it('are told of to the log now and then', () => {
    keep('/a');
    for (let hit = 0; hit < 2 * SAMPLED; hit += 1) serve('/a');
    assert.deepEqual([warm.hits, sampled], [2 * SAMPLED, 2]);
  });
});
