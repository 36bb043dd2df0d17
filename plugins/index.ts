import type { Registry } from '../lib/providers/index.ts';

/** The providers that come with Signalbox. Each is loaded when a source of it is configured. */
export const providers: Registry = {
  buildmaster: () => import('./buildmaster.ts'),
  docsrs: () => import('./docsrs.ts'),
  github: () => import('./github.ts'),
  gitlab: () => import('./gitlab.ts'),
  'http-json': () => import('./http-json.ts'),
  jenkins: () => import('./jenkins.ts'),
  obs: () => import('./obs.ts'),
  scrutinizer: () => import('./scrutinizer.ts'),
  'shields-endpoint': () => import('./shields-endpoint.ts'),
};
