import { z } from 'zod';
import { type Execution, fullCommitOf, type OutcomeTable, outcomeOf, type Pages, refOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  isSignedBy,
  maybe,
  paged,
  secret,
  splitName,
} from '../lib/providers/index.ts';

/** A workflow run. https://docs.github.com/en/rest/actions/workflow-runs */
const Run = z.object({
  id: z.number(),
  name: maybe(z.string()),
  path: maybe(z.string()),
  workflow_id: z.number(),
  run_number: z.number(),
  run_attempt: maybe(z.number()),
  event: z.string(),
  status: maybe(z.string()),
  conclusion: maybe(z.string()),
  head_branch: maybe(z.string()),
  head_sha: z.string(),
  head_repository: maybe(z.object({ full_name: z.string() })),
  repository: z.object({ id: z.number(), full_name: z.string() }),
  html_url: z.url(),
  created_at: instant,
  run_started_at: instant,
  updated_at: instant,
});
const RunPage = z.object({ workflow_runs: z.array(Run) });
const Repository = z.object({ id: z.number(), name: z.string(), default_branch: z.string() });
const Commits = z.array(z.object({ sha: z.string() }));
const Tags = z.array(z.object({ name: z.string() }));
const Delivery = z.object({ repository: z.object({ full_name: z.string() }) });

/**
 * The conclusion of a completed run, else its status.
 * https://docs.github.com/en/rest/checks/runs and https://docs.github.com/en/actions/reference/workflows-and-actions/contexts
 */
export const outcomes: OutcomeTable = {
  queued: 'queued',
  requested: 'queued',
  pending: 'queued',
  waiting: 'waiting', // for a deployment's reviewers
  action_required: 'waiting', // for a maintainer to approve a stranger's run
  in_progress: 'running',
  completed: 'running', // seen for a moment before the conclusion is there
  success: 'passed',
  neutral: 'passed',
  failure: 'failed',
  timed_out: 'failed',
  startup_failure: 'failed',
  stale: 'failed',
  cancelled: 'cancelled',
  skipped: 'skipped',
};

/** Events that say that builds changed. https://docs.github.com/en/webhooks/webhook-events-and-payloads */
const BUILD_EVENTS = ['workflow_run', 'workflow_job', 'check_suite', 'check_run', 'status'];
const HEADERS = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' };
const API = 'https://docs.github.com/en/rest/actions/workflow-runs';

/** GitHub Actions, on github.com and GitHub Enterprise. */
export default defineProvider({
  id: 'github',
  title: 'GitHub Actions',
  docs: API,
  words: { application: 'owner/repository', release: 'branch or tag', build: 'run number', execution: 'run attempt' },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'workflow'],
  notes: [
    '`workflow=ci.yml` takes the file name, the id or the name of a workflow. Run numbers count per workflow.',
    'Ref, workflow and a full SHA are filtered by the server; a run number and a short SHA by looking through the newest runs.',
  ],
  options: z.strictObject({
    /** Root of the API; `https://HOST/api/v3` for GitHub Enterprise Server. */
    url: httpUrl().default('https://api.github.com'),
    /** Fine-grained token with Actions: read. Public repositories need none, but have only 60 requests an hour. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const [owner = '', name = ''] = splitName(query.application, 'owner/repository');
    const { workflow, commit } = query;
    const byFile = workflow !== undefined && /^\d+$|\.ya?ml$/.test(workflow);
    const runs = byFile ? ['workflows', workflow, 'runs'] : ['runs'];
    const head_sha = fullCommitOf(query);
    const scans = query.build !== undefined || commit !== head_sha || (workflow && !byFile);
    const size = scans ? 100 : 10;
    const pages = paged(size, async (page) => {
      const url = endpoint(options.url, ['repos', owner, name, 'actions', ...runs], {
        branch: refOf(query),
        head_sha,
        per_page: size,
        page: page > 1 ? page : undefined,
      });
      const answer = await upstream.json(url, RunPage, { headers: { ...HEADERS, ...bearer(options.token) } });
      return answer.workflow_runs;
    });
    for await (const run of pages) yield toExecution(query.application, run, workflow);
  },

  async findProject(application, { options, upstream }, wish) {
    const repository = ['repos', ...splitName(application, 'owner/repository')];
    const headers = { ...HEADERS, ...bearer(options.token) };
    const list = (of: string, query = {}) => endpoint(options.url, [...repository, of], { ...query, per_page: 1 });
    const { id, name, default_branch } = await upstream.json(endpoint(options.url, repository), Repository, {
      headers,
    });
    const [commits, tags] = await Promise.all([
      wish.commit ? upstream.find(list('commits', { sha: default_branch }), Commits, { headers }) : undefined,
      wish.tag ? upstream.find(list('tags'), Tags, { headers }) : undefined,
    ]);
    return {
      id: String(id),
      title: name,
      defaultBranch: default_branch,
      commit: commits?.[0]?.sha,
      tag: tags?.[0]?.name,
    };
  },

  webhook: {
    verify: ({ headers, body }, key) => isSignedBy(key, body, headers['x-hub-signature-256']),
    read: (payload, { headers }) =>
      BUILD_EVENTS.includes(headers['x-github-event'] ?? '')
        ? { application: Delivery.parse(payload).repository.full_name }
        : undefined,
  },
});

function toExecution(application: string, run: z.infer<typeof Run>, asked: string | undefined): Execution {
  const status = (run.status === 'completed' ? run.conclusion : run.status) ?? run.status ?? 'completed';
  const file = run.path?.split('@')[0]?.split('/').at(-1);
  const names = [file, String(run.workflow_id), run.name];
  const ended = run.status === 'completed';
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application,
    release: run.head_branch,
    commit: run.head_sha,
    build: String(run.run_number),
    id: String(run.id),
    workflow: asked !== undefined && names.includes(asked) ? asked : (file ?? run.name),
    pullRequest: run.event.startsWith('pull_request') || isFork(run),
    queuedAt: run.created_at,
    startedAt: run.run_started_at,
    finishedAt: ended ? run.updated_at : undefined,
    pages: toPages(run, file),
  };
}

/** A fork's `main` would pass for ours. */
function isFork({ head_repository, repository }: z.infer<typeof Run>): boolean {
  return head_repository !== undefined && head_repository.full_name !== repository.full_name;
}

function toPages({ html_url, run_attempt, head_branch }: z.infer<typeof Run>, file: string | undefined): Pages {
  const actions = html_url.replace(/\/runs\/\d+.*$/, '');
  const application = file && /\.ya?ml$/.test(file) ? `${actions}/workflows/${encodeURIComponent(file)}` : actions;
  return {
    build: html_url,
    execution: run_attempt ? `${html_url}/attempts/${run_attempt}` : html_url,
    application,
    ...(head_branch && { release: `${application}?query=${encodeURIComponent(`branch:${head_branch}`)}` }),
  };
}
