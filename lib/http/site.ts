import type { Request } from 'express';
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
  const root = (request: Request) => publicUrl ?? `${originOf(request)}${base}`;
  return {
    root,
    address: (request) => root(request) + (request.originalUrl.split('?')[0] ?? '').slice(base.length),
    names(request) {
      const { hostname } = new URL(root(request));
      return { server: hostname, pages: hostname };
    },
  };
}

/** The client names the host, and may name it badly or not at all. */
function originOf({ protocol, host }: Request): string {
  const origin = `${protocol}://${host}`;
  return host && /^https?:/.test(origin) && URL.canParse(origin) ? origin : 'http://localhost';
}
