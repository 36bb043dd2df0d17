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
  paged,
  secret,
  splitName,
} from '../lib/providers/index.ts';
import { authorization, findProject, pageOfRef } from './gitea.ts';

/** https://codeberg.org/api/swagger#/repository/ListActionRuns */
const Run = z.object({
  id: z.number(),
  index_in_repo: label,
  status: z.string(),
  need_approval: maybe(z.boolean()),
  event: maybe(z.string()),
  /** The push or whatever it was, as JSON in a text; only the kind of its ref is read. */
  event_payload: maybe(z.string()).transform((text) => /"ref":\s*"refs\/(heads|tags)\//.exec(text ?? '')?.[1]),
  commit_sha: z.string(),
  prettyref: z.string(), // `main`, `v1` or `#7`
  workflow_id: z.string(),
  html_url: z.url(),
  created: instant,
  started: instant,
  stopped: instant,
});
const Runs = z.object({ workflow_runs: z.array(Run) });
const Delivery = z.object({ run: z.object({ repository: z.object({ full_name: z.string() }) }) });

/** https://codeberg.org/forgejo/forgejo/src/branch/forgejo/models/actions/status.go */
export const outcomes: OutcomeTable = {
  waiting: 'queued', // for a runner
  blocked: 'waiting', // for other jobs or, with `need_approval`, for a person
  running: 'running',
  success: 'passed',
  failure: 'failed',
  cancelled: 'cancelled',
  skipped: 'skipped',
  unknown: 'unknown',
};

/** Every run brings its whole event along, up to 46 kB. */
const SIZE = 10;

/** Forgejo Actions, on Codeberg or your own host. */
export default defineProvider({
  id: 'forgejo',
  title: 'Forgejo Actions',
  docs: 'https://codeberg.org/api/swagger',
  words: { application: 'owner/repository', release: 'branch or tag', build: 'run number', execution: 'run' },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'workflow'],
  notes: [
    'Needs Forgejo 12 or later. `workflow=` is a file name. Number and full SHA are filtered by the server, ref and workflow since Forgejo 15; before, they are looked for among the newest runs.',
    'Forgejo calls webhooks only at the end of a run (events “action run success”, “failure” and “recover”), so its beginning is seen by asking.',
  ],
  options: z.strictObject({
    /** Root of the server, with its sub-path if it has one, without `/api/v1`. */
    url: httpUrl().default('https://codeberg.org'),
    /** Access token with the scope `read:repository`. Public repositories need none. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const runs = ['api', 'v1', 'repos', ...splitName(query.application, 'owner/repository'), 'actions', 'runs'];
    for (const ref of refsOf(query)) {
      const pages = paged(SIZE, async (page) => {
        const url = endpoint(options.url, runs, {
          ref,
          workflow_id: query.workflow,
          run_number: query.build,
          head_sha: fullCommitOf(query),
          limit: SIZE,
          page,
        });
        return (await upstream.json(url, Runs, { headers: authorization(options.token) })).workflow_runs;
      });
      for await (const run of pages) yield toExecution(query.application, run);
    }
  },

  findProject,

  // https://forgejo.org/docs/latest/user/webhooks/
  webhook: {
    verify: ({ headers, body }, key) => isSignedBy(key, body, headers['x-forgejo-signature']),
    read: (payload, { headers }) =>
      headers['x-forgejo-event']?.startsWith('action_run_')
        ? { application: Delivery.parse(payload).run.repository.full_name }
        : undefined,
  },
});

/** The server wants the whole name of a ref; of a ref of unknown kind it is asked twice. */
function refsOf({ branch, tag, release }: BuildQuery): (string | undefined)[] {
  if (branch !== undefined) return [`refs/heads/${branch}`];
  if (tag !== undefined) return [`refs/tags/${tag}`];
  return release === undefined ? [undefined] : [`refs/heads/${release}`, `refs/tags/${release}`];
}

function toExecution(application: string, run: z.infer<typeof Run>): Execution {
  const { status, prettyref, event_payload: kind } = run;
  const repository = run.html_url.replace(/\/actions\/runs\/\d+.*$/, '');
  const pullRequest = prettyref.startsWith('#') || (run.event?.startsWith('pull_request') ?? false);
  return {
    outcome: run.need_approval && status === 'waiting' ? 'waiting' : outcomeOf(outcomes, status),
    status,
    application,
    release: prettyref,
    ...(kind === 'heads' && { branch: prettyref }),
    ...(kind === 'tags' && { tag: prettyref }),
    commit: run.commit_sha,
    build: run.index_in_repo,
    id: String(run.id),
    workflow: run.workflow_id,
    pullRequest,
    queuedAt: run.created,
    startedAt: run.started,
    finishedAt: run.stopped,
    pages: {
      build: run.html_url,
      execution: run.html_url,
      application: `${repository}/actions?workflow=${encodeURIComponent(run.workflow_id)}`,
      ...(!pullRequest && { release: pageOfRef(repository, kind === 'tags' ? 'tag' : 'branch', prettyref) }),
    },
  };
}
