import type { Registry } from '../lib/providers/index.ts';

/** The providers that come with Signalbox. Each is loaded when a source of it is configured. */
export const providers: Registry = {
  bitrise: () => import('./bitrise.ts'),
  buildmaster: () => import('./buildmaster.ts'),
  codemagic: () => import('./codemagic.ts'),
  docsrs: () => import('./docsrs.ts'),
  github: () => import('./github.ts'),
  gitlab: () => import('./gitlab.ts'),
  'http-json': () => import('./http-json.ts'),
  jenkins: () => import('./jenkins.ts'),
  netlify: () => import('./netlify.ts'),
  obs: () => import('./obs.ts'),
  readthedocs: () => import('./readthedocs.ts'),
  scrutinizer: () => import('./scrutinizer.ts'),
  'shields-endpoint': () => import('./shields-endpoint.ts'),
  vercel: () => import('./vercel.ts'),
};
