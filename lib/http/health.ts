import express, { type Router } from 'express';
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
