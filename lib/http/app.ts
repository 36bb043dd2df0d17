import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express';
import type { Logger } from 'pino';
import { BadRequest } from '../providers/index.ts';
import { sendAnswer, toInternalError } from './answer.ts';
import { EVERYWHERE } from './headers.ts';
import type { TrustProxy } from './limits.ts';
import type { Requests } from './requests.ts';

export interface AppSettings {
  /** Everything is served below this path; `/` for the root. */
  readonly basePath: string;
  /** Which proxies' forwarded headers count: as Express's `trust proxy`. */
  readonly trustProxy: TrustProxy;
  readonly log: Logger;
  readonly requests: Requests;
  /** The surfaces, in the order in which they are asked. */
  readonly routers: readonly Router[];
}

/** The Express application: what all surfaces have in common. Does not listen. */
export function createApp({ basePath, trustProxy, log, requests, routers }: AppSettings): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', trustProxy);
  app.set('query parser', false);
  app.set('case sensitive routing', true);
  app.use(begin(requests));
  app.use(basePath, ...routers);
  app.use(notFound, failure(log));
  return app;
}

/** The id of the request and the headers that every answer has. */
function begin(requests: Requests): RequestHandler {
  return (request, response, next) => {
    const id = requests.idOf(request.headers);
    requests.follow(request, response, id);
    response.locals.requestId = id;
    response.setHeader('X-Request-Id', id);
    for (let at = 0; at < EVERYWHERE.length; at += 2) {
      response.setHeader(EVERYWHERE[at] as string, EVERYWHERE[at + 1] as string);
    }
    next();
  };
}

const notFound: RequestHandler = (request, response) => {
  response.status(404).set('Cache-Control', 'no-store').type('txt').send(`There is nothing at ${request.path}\n`);
};

/** The one place where errors become responses. What is not ours is a bug: logged whole, shown as `internal error`. */
function failure(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    response.set('Cache-Control', 'no-store');
    const refusal = toRefusal(error);
    if (refusal) {
      response.status(refusal.status).json({ message: refusal.message });
      return;
    }
    log.error({ err: error, requestId: response.locals.requestId }, 'internal error');
    sendAnswer(request, response, toInternalError(), response.locals.requestId);
  };
}

function toRefusal(error: unknown): { status: number; message: string } | undefined {
  if (error instanceof BadRequest) return { status: 400, message: error.message };
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  if (error.status >= 400 && error.status < 500) return { status: error.status, message: 'the request cannot be read' };
  return undefined;
}
