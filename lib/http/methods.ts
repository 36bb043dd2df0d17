import type { RequestHandler, Response } from 'express';

/** Answers OPTIONS, and 405 with `Allow` for any method but these. */
export function allowOnly(...methods: readonly string[]): RequestHandler {
  return refuseOthers(methods, (method, allow, response) => {
    response.status(405).type('txt').send(`${method} is not allowed here; ${allow} are\n`);
  });
}

/** As `allowOnly`, with a refusal in the words of the surface. */
export function refuseOthers(
  methods: readonly string[],
  refuse: (method: string, allow: string, response: Response) => void,
): RequestHandler {
  const allow = [...methods, 'OPTIONS'].join(', ');
  return (request, response, next) => {
    if (methods.includes(request.method)) return next();
    response.set('Allow', allow).set('Cache-Control', 'no-store');
    if (request.method !== 'OPTIONS') return refuse(request.method, allow, response);
    response
      .set('Access-Control-Allow-Methods', allow)
      .set('Access-Control-Allow-Headers', 'X-ApiKey, Authorization, Private-Token, Content-Type, If-None-Match')
      .set('Access-Control-Max-Age', '86400')
      .status(204)
      .end();
  };
}
