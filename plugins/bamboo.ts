import { z } from 'zod';
import { type Execution, fullCommitOf, type OutcomeTable, outcomeOf, refOf } from '../lib/builds/index.ts';
import {
  basic,
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  maybe,
  type ProviderQuery,
  paged,
  sameText,
  secret,
} from '../lib/providers/index.ts';

const Variable = z.object({ name: z.string(), value: maybe(z.string()) });
/** https://developer.atlassian.com/server/bamboo/rest/api-group-api/ */
const Result = z.object({
  key: z.string(),
  number: z.number(),
  lifeCycleState: z.string(),
  state: maybe(z.string()),
  plan: maybe(z.object({ key: z.string(), type: maybe(z.string()), shortName: maybe(z.string()) })),
  master: maybe(z.object({ key: z.string() })),
  vcsRevisionKey: maybe(z.string()),
  variables: maybe(z.object({ variable: maybe(z.array(Variable)) })),
  queueStartedTime: instant,
  buildStartedTime: instant,
  buildCompletedTime: instant,
});
const Results = z.object({ results: z.object({ result: z.array(Result) }) });
const Delivery = z.object({ build: maybe(z.object({ buildResultKey: maybe(z.string()) })) });

/**
 * `lifeCycleState`, or `state` of a finished build.
 * https://docs.atlassian.com/atlassian-bamboo/10.0.0/com/atlassian/bamboo/builder/LifeCycleState.html
 */
export const outcomes: OutcomeTable = {
  Pending: 'queued',
  Queued: 'queued',
  InProgress: 'running',
  Successful: 'passed',
  Failed: 'failed',
  NotBuilt: 'cancelled', // stopped, before or while it ran
};

/** Atlassian Bamboo Data Center. */
export default defineProvider({
  id: 'bamboo',
  title: 'Bamboo',
  docs: 'https://developer.atlassian.com/server/bamboo/rest/api-group-api/',
  words: {
    application: 'plan key, PROJ-PLAN',
    release: 'plan branch',
    build: 'build number, counted anew in every plan branch',
    execution: 'build result',
  },
  filters: ['application', 'release', 'branch', 'commit', 'build', 'job', 'variables'],
  notes: [
    'Without a ref the plan itself is asked. Bamboo does not tell which branch that builds: name it as `mainBranch`, or leave the ref out.',
    'A full commit is looked for in all plan branches by the server; an abbreviated one, and `$Name` variables, among the newest builds. `job=` is the short key of a job, `JOB1`, of the plan itself.',
  ],
  options: z.strictObject({
    /** Root of the server, with its path prefix if it has one. */
    url: httpUrl(),
    /** Personal access token, or the password of `user`. Plans that anonymous users may read need none. */
    token: secret().optional(),
    /** User name, where `token` is a password. */
    user: z.string().optional(),
    /** The branch that the plans themselves build. */
    mainBranch: z.string().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const { url, user, token, mainBranch } = options;
    const headers = user === undefined ? bearer(token) : basic(user, token);
    const at = (...names: string[]) => ['rest', 'api', 'latest', 'result', ...names];
    const plan = query.job === undefined ? query.application : `${query.application}-${query.job}`;
    const branch = refOf(query) === mainBranch ? undefined : refOf(query);
    const commit = query.job === undefined ? fullCommitOf(query) : undefined;
    if (query.build !== undefined && branch === undefined) {
      const one = endpoint(url, at(`${plan}-${query.build}`), { expand: 'plan,variables.variable' });
      yield toExecution(query, options, await upstream.json(one, Result, { headers }));
      return;
    }
    const path =
      branch === undefined ? (commit ? ['byChangeset', commit] : [plan]) : [plan, 'branch', planBranch(branch)];
    const size = (query.build ?? query.commit ?? query.variables) ? 100 : 10;
    const results = paged(size, async (page) => {
      const list = endpoint(url, at(...path), {
        includeAllStates: true,
        expand: `results.result.plan${query.variables ? ',results.result.variables.variable' : ''}`,
        'max-results': size,
        'start-index': page > 1 ? (page - 1) * size : undefined,
      });
      return (await upstream.json(list, Results, { headers })).results.result;
    });
    for await (const result of results) yield toExecution(query, options, result);
  },

  // https://confluence.atlassian.com/bamboo0800/using-webhooks-1077779248.html: a template, with headers of its own
  webhook: {
    verify: ({ headers }, key) => sameText(headers.authorization, `Bearer ${key.reveal()}`),
    read(payload) {
      const [, plan] =
        /^([A-Z][A-Z0-9]*-[A-Z][A-Z0-9]*)-\d+$/.exec(Delivery.parse(payload).build?.buildResultKey ?? '') ?? [];
      // PROJ-PLAN12 may be a plan, or a branch of PROJ-PLAN: then everything may have changed.
      return plan && !/\d$/.test(plan) ? { application: plan } : {};
    },
  },
});

/** Bamboo names the plan branch of `feature/one` so. */
function planBranch(ref: string): string {
  return ref.replace(/\//g, '-');
}

function toExecution(
  query: ProviderQuery,
  { url, mainBranch }: { url: string; mainBranch?: string | undefined },
  result: z.infer<typeof Result>,
): Execution {
  const status = result.lifeCycleState === 'Finished' ? (result.state ?? 'Unknown') : result.lifeCycleState;
  const key = result.plan?.key ?? result.key.replace(/-\d+$/, '');
  const plan = result.master?.key ?? key.split('-', 2).join('-');
  const shortName = result.plan?.type === 'chain_branch' ? result.plan.shortName : mainBranch;
  const asked = refOf(query);
  const page = (...names: string[]) => endpoint(url, ['browse', ...names]).href;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application: key === query.application ? key : plan,
    branch: asked !== undefined && shortName === planBranch(asked) ? asked : shortName,
    commit: result.vcsRevisionKey,
    build: String(result.number),
    id: result.key,
    job: key.split('-')[2],
    variables: Object.fromEntries((result.variables?.variable ?? []).map(({ name, value = '' }) => [name, value])),
    queuedAt: result.queueStartedTime,
    startedAt: result.buildStartedTime,
    finishedAt: result.buildCompletedTime,
    pages: {
      build: page(result.key),
      execution: page(result.key, 'log'),
      application: page(plan),
      release: page(key),
    },
  };
}
