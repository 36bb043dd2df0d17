import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf, refOf } from '../lib/builds/index.ts';
import {
  BadRequest,
  basic,
  checkSegment,
  defineProvider,
  endpoint,
  httpUrl,
  instantOfMs,
  maybe,
  type ProviderContext,
  type ProviderQuery,
  sameText,
  secret,
} from '../lib/providers/index.ts';

/** What the git plugin (`lastBuiltRevision`) and the parameters leave on a build. */
const Action = z
  .object({
    lastBuiltRevision: z.object({
      SHA1: maybe(z.string()),
      branch: maybe(z.array(z.object({ name: maybe(z.string()) }))),
    }),
    parameters: z.array(z.object({ name: z.string(), value: z.unknown() })),
  })
  .partial();
const Build = z.object({
  number: z.number(),
  building: maybe(z.boolean()),
  result: maybe(z.string()),
  timestamp: instantOfMs,
  duration: maybe(z.number()),
  actions: maybe(z.array(maybe(Action))),
});
/** Folders and multibranch projects have `jobs`, all others `builds`. */
const Job = z.object({
  builds: maybe(z.array(Build)),
  jobs: maybe(z.array(z.unknown())),
  inQueue: maybe(z.boolean()),
  nextBuildNumber: maybe(z.number()),
  queueItem: maybe(z.object({ inQueueSince: instantOfMs })),
});
const Delivery = z.object({ url: maybe(z.string()), name: z.string() });

const BUILD_FIELDS =
  'number,building,result,timestamp,duration,actions[lastBuiltRevision[SHA1,branch[name]],parameters[name,value]]';
const JOB_FIELDS = 'jobs[name],inQueue,nextBuildNumber,queueItem[inQueueSince]';

/** `result` of a build that ended: hudson.model.Result. https://javadoc.jenkins.io/hudson/model/Result.html */
export const outcomes: OutcomeTable = {
  QUEUED: 'queued', // our word for a job with `inQueue`
  BUILDING: 'running', // our word for `building`, whatever the result says already
  SUCCESS: 'passed',
  UNSTABLE: 'warned',
  FAILURE: 'failed',
  ABORTED: 'cancelled',
  NOT_BUILT: 'skipped',
};

const options = z.strictObject({
  /** Root of the server, with its path prefix if it has one. */
  url: httpUrl(),
  /** User name that the token belongs to. Jobs that anonymous users may read need neither. */
  user: z.string().optional(),
  /** API token of the user, not the password. */
  token: secret().optional(),
});

/** Jenkins: plain jobs, folders and multibranch projects. */
export default defineProvider({
  id: 'jenkins',
  title: 'Jenkins',
  docs: 'https://www.jenkins.io/doc/book/using/remote-access-api/',
  words: {
    application: 'job path, folder/job',
    release: 'branch of a multibranch project, or branch that a job built',
    build: 'build number',
    execution: 'build',
  },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'variables'],
  notes: [
    'A ref is first looked for as a job of a multibranch project (one request), then among the newest 100 builds of a plain job.',
    '`$Name` variables are the parameters of a build.',
  ],
  options,

  async *executions(query, context) {
    const { url, user, token } = context.options;
    const headers = basic(user, token);
    const path = query.application.split('/').map(checkSegment);
    for (const job of candidateJobs(path, query)) {
      if (query.build !== undefined) {
        const number = endpoint(url, [...job, query.build, 'api', 'json'], { tree: BUILD_FIELDS });
        const build = await context.upstream.find(number, Build, { headers });
        if (build) return yield toExecution(query, context, job, build);
        continue;
      }
      const first = await context.upstream.find(jobUrl(url, job, '{0,25}'), Job, { headers });
      if (!first) continue;
      if (!first.builds) {
        if (first.jobs) throw new BadRequest(`\`${query.application}\` holds several jobs: name one, or a branch`);
        continue;
      }
      if (first.inQueue) yield toQueued(query, context, job, first);
      for (const build of first.builds) yield toExecution(query, context, job, build);
      if (first.builds.length < 25) return;
      const rest = await context.upstream.json(jobUrl(url, job, '{25,100}'), Job, { headers });
      for (const build of rest.builds ?? []) yield toExecution(query, context, job, build);
      return;
    }
  },

  // https://plugins.jenkins.io/notification/ cannot sign: the secret is part of the address that it posts to.
  webhook: {
    verify: ({ query }, key) => sameText(query.secret, key.reveal()),
    read: (payload) => {
      const { url, name } = Delivery.parse(payload);
      const path =
        url &&
        `/${url}`
          .split('/job/')
          .slice(1)
          .map((part) => decodeURIComponent(part.replace(/\/.*$/, '')));
      return { application: path && path.length > 0 ? path.join('/') : name };
    },
  },
});

type Context = ProviderContext<z.output<typeof options>>;

/** The job of the branch in a multibranch project, whose name is encoded once by Jenkins itself; then the job as named. */
function candidateJobs(path: readonly string[], query: ProviderQuery): string[][] {
  const job = path.flatMap((name) => ['job', name]);
  const ref = refOf(query);
  return ref === undefined ? [job] : [[...job, 'job', encodeURIComponent(checkSegment(ref))], job];
}

/** `builds` never holds more than the newest 100. */
function jobUrl(url: string, job: readonly string[], range: string): URL {
  return endpoint(url, [...job, 'api', 'json'], { tree: `${JOB_FIELDS},builds[${BUILD_FIELDS}]${range}` });
}

function toExecution(
  query: ProviderQuery,
  context: Context,
  job: readonly string[],
  build: z.infer<typeof Build>,
): Execution {
  // `result` may be set while post-build steps run, and may lack for a moment after `building` ended.
  const status = build.building || build.result === undefined ? 'BUILDING' : build.result;
  const revision = build.actions?.find((action) => action?.lastBuiltRevision)?.lastBuiltRevision;
  const parameters = build.actions?.flatMap((action) => action?.parameters ?? []) ?? [];
  const startedAt = build.timestamp;
  return {
    ...common(query, context, job, status, build.number),
    ...(!isBranchJob(query, job) && refOfGit(revision?.branch?.[0]?.name)),
    commit: revision?.SHA1,
    variables: Object.fromEntries(parameters.map(({ name, value }) => [name, String(value)])),
    startedAt,
    finishedAt:
      startedAt && build.duration && status !== 'BUILDING' ? new Date(startedAt.getTime() + build.duration) : undefined,
  };
}

/** A build that waits for an executor has a number to come, and no page yet but its job's. */
function toQueued(
  query: ProviderQuery,
  context: Context,
  job: readonly string[],
  waiting: z.infer<typeof Job>,
): Execution {
  const execution = common(query, context, job, 'QUEUED', waiting.nextBuildNumber);
  return {
    ...execution,
    queuedAt: waiting.queueItem?.inQueueSince,
    pages: { ...execution.pages, build: execution.pages.application, execution: execution.pages.application },
  };
}

function common(query: ProviderQuery, { options }: Context, job: readonly string[], status: string, number?: number) {
  const page = (...segments: (string | number)[]) => `${endpoint(options.url, segments)}/`;
  const branch = isBranchJob(query, job);
  const numbers = number === undefined ? [] : [number];
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application: query.application,
    ...(branch && { release: refOf(query) }),
    ...(number !== undefined && { build: String(number), id: String(number) }),
    pages: {
      build: page(...job, ...numbers),
      execution: page(...job, ...numbers, 'console'),
      application: page(...(branch ? job.slice(0, -2) : job)),
      release: page(...job),
    } as Execution['pages'],
  } satisfies Partial<Execution>;
}

function isBranchJob(query: ProviderQuery, job: readonly string[]): boolean {
  return job.length > 2 * query.application.split('/').length;
}

/** The git plugin spells a ref `origin/main`, `refs/remotes/origin/main`, `refs/heads/main`, `refs/tags/v1`, `main` or `detached`. */
function refOfGit(name: string | undefined): Pick<Execution, 'branch' | 'tag'> {
  if (!name || name === 'detached') return {};
  if (name.startsWith('refs/tags/')) return { tag: name.slice('refs/tags/'.length) };
  return { branch: name.replace(/^refs\/remotes\/[^/]+\/|^remotes\/[^/]+\/|^refs\/heads\/|^origin\//, '') };
}
