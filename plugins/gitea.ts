import { z } from 'zod';
import { type BuildQuery, type Execution, fullCommitOf, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  isSignedBy,
  label,
  maybe,
  type Project,
  type ProjectWish,
  type ProviderContext,
  paged,
  type Secret,
  secret,
  splitName,
  tokenHeader,
} from '../lib/providers/index.ts';

/** https://docs.gitea.com/api/1.25/#tag/repository/operation/getWorkflowRuns */
const Run = z.object({
  id: z.number(),
  run_number: label,
  status: z.string(),
  conclusion: maybe(z.string()),
  event: maybe(z.string()),
  head_sha: z.string(),
  path: z.string(), // `ci.yml@refs/heads/main`
  html_url: z.url(),
  started_at: instant,
  completed_at: instant,
});
const Runs = z.object({ workflow_runs: z.array(Run) });
const Repository = z.object({ id: z.number(), name: z.string(), default_branch: z.string() });
const Commits = z.array(z.object({ sha: z.string() }));
const Tags = z.array(z.object({ name: z.string() }));
const Delivery = z.object({ repository: z.object({ full_name: z.string() }) });

/**
 * The conclusion of a completed run, else its status: GitHub's words, to which Gitea's own were mapped.
 * https://github.com/go-gitea/gitea/blob/main/services/convert/convert.go
 */
export const outcomes: OutcomeTable = {
  queued: 'queued',
  requested: 'queued',
  pending: 'queued',
  waiting: 'waiting', // for an approval; until 1.25 for other jobs, too
  in_progress: 'running',
  completed: 'running', // without its conclusion
  success: 'passed',
  failure: 'failed',
  cancelled: 'cancelled',
  skipped: 'skipped',
};

/** The longest page that a server gives unless it is configured otherwise. */
const MOST = 50;

/** Gitea Actions. */
export default defineProvider({
  id: 'gitea',
  title: 'Gitea Actions',
  docs: 'https://docs.gitea.com/api/',
  words: { application: 'owner/repository', release: 'branch or tag', build: 'run number', execution: 'run' },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'workflow'],
  notes: [
    'Needs Gitea 1.25 or later: older servers have no list of runs. Run numbers count per repository.',
    'Branch and full SHA are filtered by the server; tag, workflow (its file name), number and short SHA by looking through the newest runs.',
    'Webhook: the event “workflow run”, with a secret.',
  ],
  options: z.strictObject({
    /** Root of the server, with its sub-path if it has one, without `/api/v1`. */
    url: httpUrl(),
    /** Access token with the scope `read:repository`. Public repositories need none. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const runs = ['api', 'v1', 'repos', ...splitName(query.application, 'owner/repository'), 'actions', 'runs'];
    const head_sha = fullCommitOf(query);
    const scans = query.build !== undefined || query.workflow !== undefined || query.commit !== head_sha;
    for (const branch of branchesOf(query)) {
      const size = scans || branch === undefined ? MOST : 10;
      const pages = paged(size, async (page) => {
        const url = endpoint(options.url, runs, { branch, head_sha, limit: size, page });
        return (await upstream.json(url, Runs, { headers: authorization(options.token) })).workflow_runs;
      });
      for await (const run of pages) yield toExecution(query.application, run);
    }
  },

  findProject,

  webhook: {
    verify: ({ headers, body }, key) => isSignedBy(key, body, headers['x-gitea-signature']),
    read: (payload, { headers }) =>
      ['workflow_run', 'workflow_job', 'status'].includes(headers['x-gitea-event'] ?? '')
        ? { application: Delivery.parse(payload).repository.full_name }
        : undefined,
  },
});

/** Forgejo has this from Gitea, as it has `findProject` and `pageOfRef`. */
export const authorization = (token: Secret | undefined) => tokenHeader('authorization', token, 'token ');

/** Facts of a repository, in three requests at most. */
export async function findProject(
  application: string,
  { options, upstream }: ProviderContext<{ url: string; token?: Secret | undefined }>,
  wish: ProjectWish,
): Promise<Project> {
  const headers = authorization(options.token);
  const repository = ['api', 'v1', 'repos', ...splitName(application, 'owner/repository')];
  const list = (of: string, query = {}) => endpoint(options.url, [...repository, of], { ...query, limit: 1 });
  const { id, name, default_branch } = await upstream.json(endpoint(options.url, repository), Repository, { headers });
  const [commits, tags] = await Promise.all([
    wish.commit
      ? upstream.find(list('commits', { sha: default_branch, stat: false }), Commits, { headers })
      : undefined,
    wish.tag ? upstream.find(list('tags'), Tags, { headers }) : undefined,
  ]);
  return {
    id: String(id),
    title: name,
    defaultBranch: default_branch,
    commit: commits?.[0]?.sha,
    tag: tags?.[0]?.name,
  };
}

/** For the server a tag is no branch. Where a ref may be either, it is first looked for among the branches. */
function branchesOf({ branch, release }: BuildQuery): (string | undefined)[] {
  return release === undefined ? [branch] : [release, undefined];
}

function toExecution(application: string, run: z.infer<typeof Run>): Execution {
  const status = (run.status === 'completed' ? run.conclusion : undefined) ?? run.status;
  const [path = '', ...rest] = run.path.split('@');
  const file = path.split('/').at(-1) ?? path;
  const fullRef = rest.join('@');
  const [, kind, ref = fullRef] = /^refs\/(heads|tags)\/(.*)$/.exec(fullRef) ?? [];
  const repository = run.html_url.replace(/\/actions\/runs\/\d+.*$/, '');
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application,
    release: ref,
    ...(kind === 'heads' && { branch: ref }),
    ...(kind === 'tags' && { tag: ref }),
    commit: run.head_sha,
    build: run.run_number,
    id: String(run.id),
    workflow: file,
    pullRequest: fullRef.startsWith('refs/pull/') || (run.event?.startsWith('pull_request') ?? false),
    startedAt: run.started_at,
    finishedAt: run.completed_at,
    pages: {
      build: run.html_url,
      execution: run.html_url,
      application: `${repository}/actions?workflow=${encodeURIComponent(file)}`,
      ...(kind && { release: pageOfRef(repository, kind === 'tags' ? 'tag' : 'branch', ref) }),
    },
  };
}

/** The files of a branch or tag, whose slashes stay slashes in the address. */
export function pageOfRef(repository: string, kind: 'branch' | 'tag', ref: string): string {
  return endpoint(repository, ['src', kind, ...ref.split('/')]).href;
}
