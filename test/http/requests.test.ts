import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequests, LINES_A_SECOND, type Requests, SAMPLED } from '../../lib/http/requests.ts';
import { createLog, createMetrics, type Metrics } from '../../lib/observe/index.ts';

describe('what is told of requests', () => {
  let time: number;
  let lines: Record<string, unknown>[];
  let metrics: Metrics;
  let requests: Requests;

  beforeEach(() => {
    time = 5_000;
    lines = [];
    metrics = createMetrics();
    const log = createLog('info', { write: (line) => lines.push(JSON.parse(line)) });
    requests = createRequests(log, metrics, () => time);
  });

  function answer(url: string, statusCode = 200): void {
    const request = { method: 'GET', url } as IncomingMessage;
    requests.answered(request, { statusCode } as ServerResponse, requests.idOf({}), performance.now());
  }

  it('is a line each: id, method, path without query, status, duration', () => {
    answer('/api/ci-badges/image?key=s3cret');
    const [{ requestId, method, path, status, durationMs, sampled } = {}] = lines;
    assert.deepEqual([method, path, status, sampled], ['GET', '/api/ci-badges/image', 200, undefined]);
    assert.match(String(requestId), /^[\w-]{8}-1$/);
    assert.equal(typeof durationMs, 'number');
  });

  it('is a line for some, when there are many in a second, and says for how many it stands', () => {
    for (let count = 0; count < LINES_A_SECOND + 3 * SAMPLED; count += 1) answer('/');
    assert.equal(lines.length, LINES_A_SECOND + 3);
    assert.deepEqual(
      lines.slice(-4).map(({ sampled }) => sampled),
      [undefined, SAMPLED, SAMPLED, SAMPLED],
    );
    time += 1_000;
    answer('/');
    assert.equal(lines.length, LINES_A_SECOND + 4);
    assert.equal(lines.at(-1)?.sampled, undefined);
  });

  it('is a line for every error, however many there are', () => {
    for (let count = 0; count < 2 * LINES_A_SECOND; count += 1) answer('/', 500);
    assert.equal(lines.length, 2 * LINES_A_SECOND);
  });

  it('is a count by surface and status, whatever the base path', async () => {
    for (const url of ['/api/ci-badges/image?a=/api/v4/', '/badges/api/ci-badges/image', '/api/v4/projects/1/badges']) {
      answer(url);
    }
    answer('/hooks/ci', 403);
    answer('/made/up/by/a/stranger', 404);
    const counts = (await metrics.text()).split('\n').filter((line) => line.startsWith('signalbox_requests_total{'));
    assert.deepEqual(counts.sort(), [
      'signalbox_requests_total{surface="definitions",status="200"} 1',
      'signalbox_requests_total{surface="hooks",status="403"} 1',
      'signalbox_requests_total{surface="image",status="200"} 2',
      'signalbox_requests_total{surface="other",status="404"} 1',
    ]);
  });
});
