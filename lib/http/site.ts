import type { Request } from 'express';
import { LRUCache } from 'lru-cache';
import type { ServerNames } from '../definitions/index.ts';

/** How this server is called from outside. */
export interface Site {
  /** Address of the root, without a slash at its end: as configured, else as the request names it. */
  root(request: Request): string;
  /** Address of the request's path, without its query. */
  address(request: Request): string;
  names(request: Request): ServerNames;
}

export function createSite(publicUrl: string | undefined, basePath: string): Site {
  const base = basePath === '/' ? '' : basePath;
  /** Express looks through the proxies each time that it is asked. */
  const roots = new WeakMap<Request, string>();
  function root(request: Request): string {
    const known = roots.get(request) ?? publicUrl ?? `${originOf(request)}${base}`;
    roots.set(request, known);
    return known;
  }
  const names = new LRUCache<string, ServerNames>({ max: 1_000 });
  return {
    root,
    address: (request) => root(request) + (request.originalUrl.split('?')[0] ?? '').slice(base.length),
    names(request) {
      const address = root(request);
      let known = names.get(address);
      if (!known) {
        const { hostname } = new URL(address);
        known = { server: hostname, pages: hostname };
        names.set(address, known);
      }
      return known;
    },
  };
}

/** The client names the host, and may name it badly or not at all. */
function originOf(request: Request): string {
  const { headers } = request;
  // Express asks who may forward, even where nothing was forwarded.
  const isDirect = headers['x-forwarded-proto'] === undefined && headers['x-forwarded-host'] === undefined;
  const [protocol, host] = isDirect ? ['http', headers.host] : [request.protocol, request.host];
  const origin = `${protocol}://${host}`;
  return host && /^https?:/.test(origin) && URL.canParse(origin) ? origin : 'http://localhost';
}
