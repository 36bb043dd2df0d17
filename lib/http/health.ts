import express, { type Router } from 'express';
import type { Access } from '../access/index.ts';
import type { Metrics } from '../observe/index.ts';
import { keyOf, queryArguments } from './arguments.ts';
import { allowOnly } from './methods.ts';

/** `/healthz`: the process answers. `/readyz`: it can do its work, and is not about to stop. */
export function healthRouter(isReady: () => Promise<boolean>): Router {
  const router = express.Router();
  const read = allowOnly('GET', 'HEAD');
  router.all('/healthz', read, (_request, response) => {
    response.set('Cache-Control', 'no-store').type('txt').send('ok\n');
  });
  router.all('/readyz', read, async (_request, response) => {
    const ready = await isReady();
    response
      .status(ready ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .type('txt')
      .send(ready ? 'ready\n' : 'not ready\n');
  });
  return router;
}

/** `/metrics`, for Prometheus: it names sources and tells how much they are asked, so it takes an `admin` key, or to be open. */
export function metricsRouter(access: Access, isOpen: boolean, metrics: Metrics): Router {
  const router = express.Router();
  router.all('/metrics', allowOnly('GET', 'HEAD'), async (request, response) => {
    const key = keyOf(request.headers, queryArguments(request.originalUrl));
    response.set('Cache-Control', 'no-store');
    if (!isOpen && (key.text === undefined || !access.authorize(key.text, 'admin'))) {
      response
        .status(403)
        .type('txt')
        .send(
          'An API key with the scope admin is needed, as Authorization: Bearer …; or `access: { metrics: true }`\n',
        );
      return;
    }
    response.type(metrics.contentType).send(await metrics.text());
  });
  return router;
}
