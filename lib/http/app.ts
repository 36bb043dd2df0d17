import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { BadRequest } from '../providers/index.ts';

export interface AppSettings {
  /** Everything is served below this path; `/` for the root. */
  readonly basePath: string;
  /** Which proxies' forwarded headers count: as Express's `trust proxy`. */
  readonly trustProxy: string | boolean | number;
  readonly log: Logger;
  readonly nextRequestId: () => string;
  /** The surfaces, in the order in which they are asked. */
  readonly routers: readonly Router[];
}

/** The Express application: what all surfaces have in common. Does not listen. */
export function createApp({ basePath, trustProxy, log, nextRequestId, routers }: AppSettings): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', trustProxy);
  app.set('query parser', false);
  app.set('case sensitive routing', true);
  const root = express.Router({ caseSensitive: true });
  root.use(...routers);
  app.use(logRequests(log, nextRequestId), securityHeaders(), readableAcrossOrigins);
  app.use(basePath, root);
  app.use(notFound, failure(log));
  return app;
}

/** A request id and one line of log for every request: the path, never the query string, for that holds keys. */
function logRequests(log: Logger, nextRequestId: () => string): RequestHandler {
  return (request, response, next) => {
    const given = request.get('x-request-id') ?? '';
    const id = /^[\w.-]{1,64}$/.test(given) ? given : nextRequestId();
    response.set('X-Request-Id', id);
    response.locals.requestId = id;
    const startedAt = performance.now();
    const path = request.path;
    response.on('close', () => {
      const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
      log.info({ requestId: id, method: request.method, path, status: response.statusCode, durationMs }, 'request');
    });
    next();
  };
}

function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      directives: { defaultSrc: ["'none'"], styleSrc: ["'unsafe-inline'"], imgSrc: ['data:'], sandbox: [] },
      useDefaults: false,
    },
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    strictTransportSecurity: false,
    // Of no use beside this policy, and each costs every badge some bytes.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
}

const EXPOSED = 'Badge-State, Badge-Status, Badge-Reason, Badge-Detail, Badge-Stale, Cache-Status, ETag, X-Request-Id';

const readableAcrossOrigins: RequestHandler = (_request, response, next) => {
  response.set('Access-Control-Allow-Origin', '*').set('Access-Control-Expose-Headers', EXPOSED);
  next();
};

const notFound: RequestHandler = (request, response) => {
  response.status(404).set('Cache-Control', 'no-store').type('txt').send(`There is nothing at ${request.path}\n`);
};

/** The one place where errors become responses. What is not ours is a bug: logged whole, shown as `internal error`. */
function failure(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    response.set('Cache-Control', 'no-store');
    const refusal = toRefusal(error);
    if (refusal) {
      response.status(refusal.status).json({ message: refusal.message });
      return;
    }
    log.error({ err: error, requestId: response.locals.requestId }, 'internal error');
    response.status(500).json({ message: 'internal error' });
  };
}

function toRefusal(error: unknown): { status: number; message: string } | undefined {
  if (error instanceof BadRequest) return { status: 400, message: error.message };
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  if (error.status >= 400 && error.status < 500) return { status: error.status, message: 'the request cannot be read' };
  return undefined;
}
