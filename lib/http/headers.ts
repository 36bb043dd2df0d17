import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

const EXPOSED = 'Badge-State, Badge-Status, Badge-Reason, Badge-Detail, Badge-Stale, Cache-Status, ETag, X-Request-Id';

/** The headers of every answer, names and values in turn: a badge is safe to open by itself, and readable across origins. */
export const EVERYWHERE: readonly string[] = [
  ...securityHeaders(),
  'Access-Control-Allow-Origin',
  '*',
  'Access-Control-Expose-Headers',
  EXPOSED,
];

/** What helmet has to say is the same for every request: it is asked once. */
function securityHeaders(): string[] {
  const list: string[] = [];
  const listener = {
    setHeader: (name: string, value: string) => list.push(name, value),
    removeHeader: () => {},
  };
  const ask = helmet({
    contentSecurityPolicy: {
      directives: { defaultSrc: ["'none'"], styleSrc: ["'unsafe-inline'"], imgSrc: ['data:'], sandbox: [] },
      useDefaults: false,
    },
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    strictTransportSecurity: false,
    // A badge may be framed, as it may be an image: the policy leaves nothing in it that could be clicked on by mistake.
    xFrameOptions: false,
    // Of no use beside this policy, and each costs every badge some bytes.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  ask({} as IncomingMessage, listener as unknown as ServerResponse, (error?: unknown) => {
    if (error) throw error;
  });
  return list;
}
