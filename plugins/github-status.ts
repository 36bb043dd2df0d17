import { z } from 'zod';
import { type Outcome, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import { bearer, defineProvider, endpoint, instant, maybe, pageUrl, splitName } from '../lib/providers/index.ts';
import github, { outcomes as conclusions } from './github.ts';

/** The newest status of each context. https://docs.github.com/en/rest/commits/statuses */
const Status = z.object({
  id: z.number(),
  context: z.string(),
  state: z.string(),
  target_url: maybe(z.string()),
  created_at: instant,
});
const Combined = z.object({ sha: z.string(), statuses: z.array(Status), repository: z.object({ html_url: z.url() }) });
/** What an app, such as GitHub Actions, says. https://docs.github.com/en/rest/checks/suites */
const Suite = z.object({
  id: z.number(),
  status: maybe(z.string()),
  conclusion: maybe(z.string()),
  latest_check_runs_count: z.number(),
  app: maybe(z.object({ slug: maybe(z.string()), name: z.string() })),
  created_at: instant,
});
const Suites = z.object({ check_suites: z.array(Suite) });

/** The words of statuses and of suites; the latter are those of workflow runs. See the two pages above. */
export const outcomes: OutcomeTable = { ...conclusions, error: 'failed' };

/** Of several reports on a commit, the first of these counts. */
const WORST: readonly Outcome[] = [
  'failed',
  'cancelled',
  'running',
  'waiting',
  'queued',
  'unknown',
  'passed',
  'skipped',
];
const { options, findProject, webhook } = github;

/** Commit statuses and check suites, on github.com and GitHub Enterprise: the state of a commit, whichever CI made it. */
export default defineProvider({
  id: 'github-status',
  title: 'GitHub commit statuses and checks',
  docs: 'https://docs.github.com/en/rest/commits/statuses',
  words: {
    application: 'owner/repository',
    release: 'branch or tag, of which the newest commit counts',
    build: 'none; ask for a commit',
    execution: 'the worst of all reports on a commit',
  },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'workflow', 'job'],
  notes: [
    '`workflow=` and `job=` name a status context (`ci/circleci: build`) or an app (`github-actions`); else the worst of all counts. Apps that are installed but never reported do not.',
    'Every answer costs two requests. A token needs Commit statuses: read and Checks: read.',
  ],
  options,

  async *executions(query, { options: { url, token }, upstream }) {
    const { application, branch, tag, release, commit, workflow, job } = query;
    const ref = branch ?? tag ?? release;
    const named = branch ? `heads/${branch}` : tag ? `tags/${tag}` : (release ?? commit ?? 'HEAD');
    const at = (list: string) =>
      endpoint(url, ['repos', ...splitName(application, 'owner/repository'), 'commits', named, list], {
        per_page: 100,
      });
    const init = { headers: { accept: 'application/vnd.github+json', ...bearer(token) } };
    const [{ sha, statuses, repository }, { check_suites }] = await Promise.all([
      upstream.json(at('status'), Combined, init),
      upstream.json(at('check-suites'), Suites, init),
    ]);
    const page = endpoint(repository.html_url, ['commit', sha]).href;
    const asked = [workflow, job].filter((name) => name !== undefined);
    const [worst] = [...statuses.map(ofStatus), ...check_suites.filter(hasReported).map(ofSuite)]
      .filter(({ names }) => asked.every((name) => names.includes(name)))
      .sort((a, b) => WORST.indexOf(a.outcome) - WORST.indexOf(b.outcome));
    if (!worst) return;
    const { names, target, ...execution } = worst;
    yield {
      ...execution,
      ...{ application, branch, tag, release, workflow, job },
      commit: sha,
      pages: {
        build: asked.length > 0 ? (target ?? page) : page,
        execution: target ?? page,
        application: repository.html_url,
        ...(ref && { release: endpoint(repository.html_url, ['tree', ...ref.split('/')]).href }),
      },
    };
  },

  findProject,
  webhook,
});

function ofStatus({ id, context, state, target_url, created_at }: z.infer<typeof Status>) {
  return { names: [context], target: pageUrl(target_url), ...toRun(id, state, created_at) };
}

function ofSuite({ id, app, status, conclusion, created_at }: z.infer<typeof Suite>) {
  const word = status === 'completed' ? conclusion : status;
  return { names: [app?.slug, app?.name], target: undefined, ...toRun(id, word ?? 'completed', created_at) };
}

function toRun(id: number, status: string, startedAt: Date | undefined) {
  return { id: String(id), outcome: outcomeOf(outcomes, status), status, startedAt };
}

/** Every installed app has a suite that waits for its first run; one that ended without a run could not start. */
function hasReported({ status, latest_check_runs_count }: z.infer<typeof Suite>): boolean {
  return latest_check_runs_count > 0 || status === 'completed';
}
