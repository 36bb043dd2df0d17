import type { Registry } from '../lib/providers/index.ts';

/** The providers that come with Signalbox. Each is loaded when a source of it is configured. */
export const providers: Registry = {
  azure: () => import('./azure.ts'),
  bitbucket: () => import('./bitbucket.ts'),
  bitrise: () => import('./bitrise.ts'),
  buildmaster: () => import('./buildmaster.ts'),
  codemagic: () => import('./codemagic.ts'),
  docsrs: () => import('./docsrs.ts'),
  drone: () => import('./drone.ts'),
  forgejo: () => import('./forgejo.ts'),
  gitea: () => import('./gitea.ts'),
  github: () => import('./github.ts'),
  'github-status': () => import('./github-status.ts'),
  gitlab: () => import('./gitlab.ts'),
  'http-json': () => import('./http-json.ts'),
  jenkins: () => import('./jenkins.ts'),
  netlify: () => import('./netlify.ts'),
  obs: () => import('./obs.ts'),
  readthedocs: () => import('./readthedocs.ts'),
  scrutinizer: () => import('./scrutinizer.ts'),
  'shields-endpoint': () => import('./shields-endpoint.ts'),
  sourcehut: () => import('./sourcehut.ts'),
  vercel: () => import('./vercel.ts'),
  woodpecker: () => import('./woodpecker.ts'),
};
