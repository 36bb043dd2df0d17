import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { type Metrics, withoutRedaction } from '../observe/index.ts';

/** What is told of every request: its id to the client, a line to the log, a count to the metrics. */
export interface Requests {
  /** The id that the client or a proxy gave the request, else one of our own. */
  idOf(headers: IncomingHttpHeaders): string;
  /** Tells of a request once it has ended. */
  follow(request: IncomingMessage, response: ServerResponse, id: string): void;
  /** Tells of a request that has its answer now. */
  answered(request: IncomingMessage, response: ServerResponse, id: string, startedAt: number): void;
  /** Tells of a request that was answered from what is kept ready. */
  answeredWarm(request: IncomingMessage, response: ServerResponse, id: string): void;
}

/** So many requests of a second have a line in the log; of more, and of those that went well, one in so many has. */
export const LINES_A_SECOND = 100;
export const SAMPLED = 100;

export function createRequests(log: Logger, metrics: Metrics, now: () => number = Date.now): Requests {
  const lines = withoutRedaction(log);
  const own = randomBytes(6).toString('base64url');
  let count = 0;
  let second = 0;
  let inSecond = 0;

  /** How many requests the line of this one stands for; 0 when it has none. */
  function weightOf(status: number): number {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      inSecond = 0;
    }
    inSecond += 1;
    if (inSecond <= LINES_A_SECOND || status >= 400) return 1;
    return inSecond % SAMPLED === 0 ? SAMPLED : 0;
  }

  function write(method: string | undefined, path: string, status: number, requestId: string, more: object): void {
    const sampled = weightOf(status);
    if (sampled === 0) return;
    lines.info({ requestId, method, path, status, ...more, ...(sampled > 1 && { sampled }) }, 'request');
  }

  function tell(method: string | undefined, path: string, status: number, id: string, startedAt: number): void {
    const durationMs = performance.now() - startedAt;
    metrics.request(path, status, durationMs / 1000);
    write(method, path, status, id, { durationMs: Math.round(durationMs * 10) / 10 });
  }

  return {
    idOf({ 'x-request-id': given }) {
      if (typeof given === 'string' && /^[\w.-]{1,64}$/.test(given)) return given;
      count += 1;
      return `${own}-${count.toString(36)}`;
    },
    follow({ method, url = '' }, response, id) {
      const startedAt = performance.now();
      // Express takes parts off the address on its way.
      const path = pathOf(url);
      response.once('close', () => tell(method, path, response.statusCode, id, startedAt));
    },
    answered({ method, url = '' }, { statusCode }, id, startedAt) {
      tell(method, pathOf(url), statusCode, id, startedAt);
    },
    answeredWarm({ method, url = '' }, { statusCode }, id) {
      metrics.warmHit(statusCode);
      write(method, pathOf(url), statusCode, id, WARM);
    },
  };
}

const WARM = { warm: true };

/** Never the query string: that holds keys. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}
