import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Metrics } from '../observe/index.ts';

/** What is told of every request: its id to the client, a line to the log, a count to the metrics. */
export interface Requests {
  /** The id that the client or a proxy gave the request, else one of our own. */
  idOf(headers: IncomingHttpHeaders): string;
  /** Tells of a request once it has ended. */
  follow(request: IncomingMessage, response: ServerResponse, id: string): void;
  /** Tells of a request that was answered at once: every one to the metrics, some to the log. */
  answered(request: IncomingMessage, status: number): void;
}

/** One in so many requests that were answered at once is told to the log. */
export const SAMPLED = 100;

export function createRequests(log: Logger, metrics: Metrics): Requests {
  const own = randomBytes(6).toString('base64url');
  let count = 0;
  let answered = 0;
  return {
    idOf({ 'x-request-id': given }) {
      if (typeof given === 'string' && /^[\w.-]{1,64}$/.test(given)) return given;
      count += 1;
      return `${own}-${count.toString(36)}`;
    },

    follow({ method = '', url = '' }, response, id) {
      const startedAt = performance.now();
      response.once('close', () => {
        const durationMs = performance.now() - startedAt;
        const path = pathOf(url);
        metrics.request(path, response.statusCode, durationMs / 1000);
        log.info(
          { requestId: id, method, path, status: response.statusCode, durationMs: Math.round(durationMs * 10) / 10 },
          'request',
        );
      });
    },

    answered({ method, url = '' }, status) {
      metrics.warmHit(status);
      answered += 1;
      if (answered % SAMPLED !== 0) return;
      log.info({ method, path: pathOf(url), status, warm: true, sampled: SAMPLED }, 'request');
    },
  };
}

/** Never the query string: that holds keys. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}
