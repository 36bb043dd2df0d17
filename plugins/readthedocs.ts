import { z } from 'zod';
import { type Execution, fullCommitOf, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  isSignedBy,
  maybe,
  paged,
  secret,
  tokenHeader,
} from '../lib/providers/index.ts';

/** A build. https://docs.readthedocs.com/platform/stable/api/v3.html#builds */
const Build = z.object({
  id: z.number(),
  project: z.string(),
  version: maybe(z.string()),
  commit: maybe(z.string()),
  state: z.object({ code: z.string() }),
  success: maybe(z.boolean()),
  created: instant,
  finished: instant,
  urls: maybe(z.object({ build: z.url(), project: maybe(z.url()), version: maybe(z.url()) })),
});
const BuildPage = z.object({ results: z.array(Build) });
const Delivery = z.object({ slug: maybe(z.string()) });

/** `state.code`, and for a finished build our word for `success`. */
export const outcomes: OutcomeTable = {
  triggered: 'queued',
  cloning: 'running',
  installing: 'running',
  building: 'running',
  uploading: 'running',
  passed: 'passed',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** Read the Docs, Community and Business. */
export default defineProvider({
  id: 'readthedocs',
  title: 'Read the Docs',
  docs: 'https://docs.readthedocs.com/platform/stable/api/v3.html',
  words: { application: 'project slug', release: 'version slug', build: 'build id', execution: 'build' },
  filters: ['application', 'release', 'commit', 'build'],
  notes: [
    '`$ReleaseNumber` is the slug of a version: `latest`, `stable`, or a branch or tag with `/` written as `-`. Without version, commit and build it is `latest`.',
    'All filters are for the server but a short SHA, which is looked for among the newest builds. Without a token only 5 requests a minute are allowed.',
    'A build that skips itself (exit code 183) counts as cancelled, as Read the Docs counts it.',
  ],
  options: z.strictObject({
    /** Root of the site, without `/api/v3`; `https://app.readthedocs.com` for Business. */
    url: httpUrl().default('https://app.readthedocs.org'),
    /** API token. Public projects need none, but are soon slowed down. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const { application, build, commit } = query;
    const headers = tokenHeader('authorization', options.token, 'Token ');
    const at = (...segments: string[]) => {
      const url = endpoint(options.url, ['api', 'v3', 'projects', application, ...segments]);
      url.pathname += '/'; // without it every request is redirected
      return url;
    };
    if (build !== undefined) {
      return yield toExecution(options.url, await upstream.json(at('builds', build), Build, { headers }));
    }
    const version = query.release ?? (commit === undefined ? 'latest' : undefined);
    const sha = fullCommitOf(query);
    const size = commit === sha ? 10 : 100;
    const pages = paged(size, async (page) => {
      const url = version === undefined ? at('builds') : at('versions', version, 'builds');
      if (sha !== undefined) url.searchParams.set('commit', sha);
      url.searchParams.set('limit', String(size));
      if (page > 1) url.searchParams.set('offset', String((page - 1) * size));
      return (await upstream.json(url, BuildPage, { headers })).results;
    });
    for await (const item of pages) yield toExecution(options.url, item);
  },

  webhook: {
    verify: ({ headers, body }, key) => isSignedBy(key, body, headers['x-hub-signature']),
    // It tells of builds only; who replaced the payload by a template may have left out the project.
    read: (payload) => ({ application: Delivery.parse(payload).slug }),
  },
});

function toExecution(root: string, build: z.infer<typeof Build>): Execution {
  const { state, success, project, urls } = build;
  const finished = state.code === 'finished' && success !== undefined;
  const status = finished ? (success ? 'passed' : 'failed') : state.code;
  const page = (...segments: (string | number)[]) => endpoint(root, ['projects', project, ...segments]).href;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application: project,
    release: build.version,
    commit: build.commit,
    build: String(build.id),
    id: String(build.id),
    queuedAt: build.created,
    finishedAt: build.finished,
    pages: {
      build: urls?.build ?? page('builds', build.id),
      application: urls?.project ?? page(),
      release: urls?.version,
    },
  };
}
