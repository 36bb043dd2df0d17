import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  maybe,
  paged,
  secret,
  tokenHeader,
} from '../lib/providers/index.ts';

/** A build; of the rest some is secret (passwords of its machine). https://docs.codemagic.io/rest-api/builds/ */
const Build = z.object({
  _id: z.string(),
  appId: maybe(z.string()),
  status: z.string(),
  index: maybe(z.number()),
  branch: maybe(z.string()),
  tag: maybe(z.string()),
  commit: maybe(z.object({ hash: maybe(z.string()) })),
  pullRequest: maybe(z.object({})),
  workflowId: maybe(z.string()),
  fileWorkflowId: maybe(z.string()),
  createdAt: instant,
  startedAt: instant,
  finishedAt: instant,
});
const BuildPage = z.object({ builds: z.array(Build) });
const App = z.object({
  application: z.object({
    _id: z.string(),
    appName: z.string(),
    repository: maybe(z.object({ defaultBranch: maybe(z.string()) })),
  }),
});

/** https://docs.codemagic.io/flutter-running-builds/build-statuses */
export const outcomes: OutcomeTable = {
  initializing: 'queued',
  queued: 'queued',
  waiting: 'queued', // for a machine
  preparing: 'running',
  fetching: 'running',
  testing: 'running',
  building: 'running',
  publishing: 'running',
  finishing: 'running',
  finished: 'passed',
  warning: 'warned',
  failed: 'failed',
  timeout: 'failed',
  canceled: 'cancelled',
  skipped: 'skipped',
};

const PAGE_SIZE = 50; // the server's, and not ours to choose

/** Codemagic. */
export default defineProvider({
  id: 'codemagic',
  title: 'Codemagic',
  docs: 'https://docs.codemagic.io/rest-api/builds/',
  words: { application: 'app id', release: 'branch or tag', build: 'build index', execution: 'build' },
  filters: ['application', 'applicationId', 'release', 'branch', 'tag', 'commit', 'build', 'workflow'],
  notes: [
    'Build indexes count per workflow: `workflow=` is its name in codemagic.yaml, or the id of one of the workflow editor.',
    'Branch, tag and workflow are filtered by the server; a commit, an index and `$ReleaseNumber` by looking through the builds, 50 at a time. These pages can be megabytes large.',
    'Uses the API at api.codemagic.io, which personal and team tokens can read. Codemagic has no webhooks: a publishing script can report its builds.',
  ],
  options: z.strictObject({
    /** Root of the API. */
    url: httpUrl().default('https://api.codemagic.io'),
    /** API token of an account or a team. */
    token: secret(),
  }),

  async *executions({ application, workflow, branch, tag }, { options, upstream }) {
    const pages = paged(PAGE_SIZE, async (page) => {
      const skip = page > 1 ? (page - 1) * PAGE_SIZE : undefined;
      const filters = { appId: application, workflowId: workflow, branch, tag, skip };
      const url = endpoint(options.url, ['builds'], filters);
      return (await upstream.json(url, BuildPage, { headers: tokenHeader('x-auth-token', options.token) })).builds;
    });
    for await (const build of pages) yield toExecution(application, build);
  },

  async findProject(application, { options, upstream }) {
    const headers = tokenHeader('x-auth-token', options.token);
    const { application: app } = await upstream.json(endpoint(options.url, ['apps', application]), App, { headers });
    return { id: app._id, title: app.appName, defaultBranch: app.repository?.defaultBranch };
  },
});

function toExecution(asked: string, build: z.infer<typeof Build>): Execution {
  const application = build.appId ?? asked;
  const page = (...segments: string[]) => endpoint('https://codemagic.io', ['app', application, ...segments]).href;
  return {
    outcome: outcomeOf(outcomes, build.status),
    status: build.status,
    application,
    applicationId: application,
    branch: build.branch,
    tag: build.tag,
    commit: build.commit?.hash,
    build: build.index === undefined ? undefined : String(build.index),
    id: build._id,
    workflow: build.fileWorkflowId ?? build.workflowId,
    pullRequest: build.pullRequest !== undefined,
    queuedAt: build.createdAt,
    startedAt: build.startedAt,
    finishedAt: build.finishedAt,
    pages: { build: page('build', build._id), application: page() },
  };
}
