import { z } from 'zod';
import { type Execution, fullCommitOf, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instantOfMs,
  isSignedBy,
  maybe,
  pageUrl,
  secret,
} from '../lib/providers/index.ts';

/** A deployment: lists and the answer for one differ in names. https://vercel.com/docs/rest-api */
const Deployment = z.object({
  uid: maybe(z.string()),
  id: maybe(z.string()),
  name: z.string(),
  state: maybe(z.string()),
  readyState: maybe(z.string()),
  checksConclusion: maybe(z.string()),
  projectSettings: maybe(z.object({ commandForIgnoringBuildStep: maybe(z.string()) })),
  target: maybe(z.string()),
  meta: maybe(z.record(z.string(), z.coerce.string())),
  url: z.string(),
  inspectorUrl: maybe(z.url()),
  createdAt: instantOfMs,
  buildingAt: instantOfMs,
  ready: instantOfMs,
  canceledAt: instantOfMs,
});
const DeploymentPage = z.object({
  deployments: z.array(Deployment),
  pagination: maybe(z.object({ next: maybe(z.number()) })),
});
const Delivery = z.object({ type: z.string(), payload: z.object({ name: maybe(z.string()) }) });

/** `readyState`, and two words of ours. https://vercel.com/docs/rest-api */
export const outcomes: OutcomeTable = {
  INITIALIZING: 'queued',
  QUEUED: 'queued',
  BLOCKED: 'waiting',
  BUILDING: 'running',
  READY: 'passed',
  CHECKS_FAILED: 'warned', // ours: READY, and its `checksConclusion` is `failed`
  ERROR: 'failed',
  CANCELED: 'cancelled',
  IGNORED: 'skipped', // ours: CANCELED by the ignored build step
  DELETED: 'skipped',
};

/** Vercel deployments. */
export default defineProvider({
  id: 'vercel',
  title: 'Vercel',
  docs: 'https://vercel.com/docs/rest-api',
  words: { application: 'project name', release: 'git branch', build: 'deployment id', execution: 'deployment' },
  filters: ['application', 'release', 'branch', 'commit', 'build', 'stage', 'variables'],
  notes: [
    'Without branch, commit, id, stage and variables the newest production deployment counts. `stage=` is the target: `production`, `preview` or a custom environment.',
    '`$Name` variables are the metadata of a deployment (`$githubRepo`), spelled as Vercel spells them. Only a short SHA is not filtered by the server.',
    'A cancelled deployment of a project with a command for the ignored build step counts as skipped.',
  ],
  options: z.strictObject({
    /** Root of the API. */
    url: httpUrl().default('https://api.vercel.com'),
    /** Access token of an account. */
    token: secret(),
    /** Id (`team_…`) or slug of the team that owns the projects. */
    team: z.string().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const { application, branch = query.release, commit, build, stage, variables } = query;
    const headers = bearer(options.token);
    const team = options.team?.startsWith('team_') ? { teamId: options.team } : { slug: options.team };
    if (build !== undefined) {
      const one = endpoint(options.url, ['v13', 'deployments', build], team);
      return yield toExecution(await upstream.json(one, Deployment, { headers }));
    }
    const meta = Object.entries(variables ?? {}).map(([name, value]) => [`meta-${name}`, value]);
    let until: number | undefined;
    do {
      const url = endpoint(options.url, ['v7', 'deployments'], {
        ...team,
        app: application,
        branch,
        sha: fullCommitOf(query),
        target: (branch ?? commit ?? stage ?? variables) === undefined ? 'production' : stage,
        ...Object.fromEntries(meta),
        limit: commit === fullCommitOf(query) ? 20 : 100,
        until,
      });
      const page = await upstream.json(url, DeploymentPage, { headers });
      for (const deployment of page.deployments) yield toExecution(deployment);
      until = page.pagination?.next;
    } while (until !== undefined);
  },

  webhook: {
    verify: ({ headers, body }, key) => isSignedBy(key, body, headers['x-vercel-signature'], 'sha1'),
    read: (delivery) => {
      const { type, payload } = Delivery.parse(delivery);
      return type.startsWith('deployment.') ? { application: payload.name } : undefined;
    },
  },
});

function toExecution(deployment: z.infer<typeof Deployment>): Execution {
  const { inspectorUrl, meta = {} } = deployment;
  const status = statusOf(deployment);
  const git = (field: string) => meta[`github${field}`] ?? meta[`gitlab${field}`] ?? meta[`bitbucket${field}`];
  const id = deployment.uid ?? deployment.id;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application: deployment.name,
    branch: git('CommitRef'),
    commit: git('CommitSha'),
    build: id,
    id,
    stage: deployment.target ?? 'preview',
    variables: meta,
    pullRequest: isFork(meta),
    queuedAt: deployment.createdAt,
    startedAt: deployment.buildingAt,
    finishedAt: deployment.ready ?? deployment.canceledAt,
    pages: {
      build: inspectorUrl ?? pageUrl(`https://${deployment.url}`),
      application: inspectorUrl?.replace(/\/[^/]+$/, ''),
    },
  };
}

/** A fork's `main` would pass for ours. */
function isFork({ githubCommitOrg, githubOrg = githubCommitOrg }: Readonly<Record<string, string>>): boolean {
  return githubCommitOrg !== undefined && githubCommitOrg !== githubOrg;
}

function statusOf(deployment: z.infer<typeof Deployment>): string {
  const { state, readyState = state, checksConclusion, canceledAt, projectSettings } = deployment;
  if (readyState === 'READY' && checksConclusion === 'failed') return 'CHECKS_FAILED';
  const ignores = projectSettings?.commandForIgnoringBuildStep !== undefined && !canceledAt;
  return readyState === 'CANCELED' && ignores ? 'IGNORED' : (readyState ?? 'UNKNOWN');
}
