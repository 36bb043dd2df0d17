import type { Registry } from '../lib/providers/index.ts';

/** The providers that come with Signalbox. Each is loaded when a source of it is configured. */
export const providers: Registry = {
  buildmaster: () => import('./buildmaster.ts'),
  github: () => import('./github.ts'),
  gitlab: () => import('./gitlab.ts'),
  jenkins: () => import('./jenkins.ts'),
};
