import type { RequestHandler } from 'express';

/** Answers OPTIONS, and 405 with `Allow` for any method but these. */
export function allowOnly(...methods: readonly string[]): RequestHandler {
  const allow = [...methods, 'OPTIONS'].join(', ');
  return (request, response, next) => {
    if (methods.includes(request.method)) return next();
    response.set('Allow', allow).set('Cache-Control', 'no-store');
    if (request.method === 'OPTIONS') {
      response
        .set('Access-Control-Allow-Methods', allow)
        .set('Access-Control-Allow-Headers', 'X-ApiKey, Authorization, Private-Token, Content-Type, If-None-Match')
        .set('Access-Control-Max-Age', '86400')
        .status(204)
        .end();
    } else {
      response.status(405).type('txt').send(`${request.method} is not allowed here; ${allow} are\n`);
    }
  };
}
