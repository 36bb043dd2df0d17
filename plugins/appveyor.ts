import { z } from 'zod';
import { type Execution, matches, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  label,
  maybe,
  type ProviderQuery,
  type Secret,
  sameText,
  secret,
  splitName,
} from '../lib/providers/index.ts';

const text = maybe(z.string());
const Job = z.object({ jobId: z.string(), name: z.string(), status: z.string(), allowFailure: maybe(z.boolean()) });
/** The history leaves `jobs` empty. https://www.appveyor.com/docs/api/projects-builds/ */
const Build = z.object({
  buildId: z.number(),
  buildNumber: z.number(),
  version: z.string(),
  status: z.string(),
  branch: text,
  isTag: maybe(z.boolean()),
  tag: text,
  commitId: text,
  pullRequestId: maybe(label),
  jobs: maybe(z.array(Job)),
  created: instant,
  started: instant,
  finished: instant,
});
const History = z.object({ builds: z.array(Build) });
const OneBuild = z.object({ build: maybe(Build) });
const Project = z.object({ project: z.object({ projectId: z.number(), name: z.string(), repositoryBranch: text }) });
const Delivery = z.object({ eventData: z.object({ buildUrl: z.string() }) });

/** Of a build or a job. https://www.appveyor.com/docs/api/projects-builds/ */
export const outcomes: OutcomeTable = {
  queued: 'queued',
  starting: 'running',
  running: 'running',
  cancelling: 'running',
  success: 'passed',
  allowed_failure: 'warned', // our word for success with a failed job under `allow_failures`
  failed: 'failed',
  cancelled: 'cancelled',
};

/** AppVeyor, hosted and Server. */
export default defineProvider({
  id: 'appveyor',
  title: 'AppVeyor',
  docs: 'https://www.appveyor.com/docs/api/projects-builds/',
  words: {
    application: 'account/project-slug',
    release: 'branch or tag',
    build: 'number or version',
    execution: 'build',
  },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'job'],
  notes: [
    'The slug is the one in the address of the project, not the repository. A branch and a version (`1.0.45`) are asked of the server; tags, commits and plain numbers are looked for in the history.',
    '`job=` is the name of a job. It, and a successful build, cost a second request: the history does not tell of jobs.',
    'Webhooks: send the header `Authorization: Bearer SECRET`.',
  ],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl().default('https://ci.appveyor.com'),
    /** API token, of a user (`v2.…`) or of an account. Public projects need none. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const project = toProject(query.application, options.token);
    const headers = bearer(options.token);
    const at = (segments: string[], parameters = {}) => endpoint(options.url, [...project, ...segments], parameters);
    const find = async (version: string) => (await upstream.find(at(['build', version]), OneBuild, { headers }))?.build;
    async function* builds(): AsyncIterable<z.infer<typeof Build>> {
      if (query.build !== undefined && !/^\d+$/.test(query.build)) {
        const build = await find(query.build);
        if (build) yield build;
        return;
      }
      const recordsNumber = (query.build ?? query.commit ?? query.tag) ? 100 : 10;
      // A ref is asked for as a branch; where that has no match, it is looked for as a tag among all.
      for (const branch of query.release === undefined ? [query.branch] : [query.release, undefined]) {
        let page: z.infer<typeof Build>[] | undefined;
        do {
          const url = at(['history'], { recordsNumber, startBuildId: page?.at(-1)?.buildId, branch });
          page = (await upstream.json(url, History, { headers })).builds;
          yield* page;
        } while (page.length === recordsNumber);
      }
    }
    for await (const build of builds()) {
      const execution = toExecution(query, options.url, build);
      const wantsJobs = !build.jobs?.length && (build.status === 'success' || query.job !== undefined);
      const asked = wantsJobs && matches({ ...query, job: undefined }, execution) && (await find(build.version));
      yield asked ? toExecution(query, options.url, asked) : execution;
    }
  },

  async findProject(application, { options, upstream }) {
    const url = endpoint(options.url, toProject(application, options.token));
    const { project } = await upstream.json(url, Project, { headers: bearer(options.token) });
    return { id: String(project.projectId), title: project.name, defaultBranch: project.repositoryBranch };
  },

  // https://www.appveyor.com/docs/notifications/#webhook-payload-default : cannot sign, but sends given headers.
  webhook: {
    verify: ({ headers }, key) => sameText(headers.authorization, `Bearer ${key.reveal()}`),
    read: (payload) => {
      const [, application] = /\/project\/([^/]+\/[^/]+)/.exec(Delivery.parse(payload).eventData.buildUrl) ?? [];
      return { application };
    },
  },
});

/** The token of a user is good for several accounts, and wants to be told which. */
function toProject(application: string, token: Secret | undefined): string[] {
  const [account = '', slug = ''] = splitName(application, 'account/project-slug');
  const prefix = token?.reveal().startsWith('v2.') ? ['api', 'account', account] : ['api'];
  return [...prefix, 'projects', account, slug];
}

function toExecution(query: ProviderQuery, url: string, build: z.infer<typeof Build>): Execution {
  const { application } = query;
  const excused = build.jobs?.some((job) => job.status === 'failed' && job.allowFailure);
  const job = build.jobs?.find(({ name }) => name === query.job);
  const status = job?.status ?? (build.status === 'success' && excused ? 'allowed_failure' : build.status);
  const page = (...segments: (string | number)[]) =>
    endpoint(url, ['project', ...application.split('/'), ...segments]).href;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application,
    ...(build.isTag ? { tag: build.tag } : { branch: build.branch }),
    commit: build.commitId,
    build: query.build === build.version ? build.version : String(build.buildNumber),
    id: String(build.buildId),
    job: job?.name ?? '', // has none of that name, or none is asked for
    pullRequest: build.pullRequestId !== undefined,
    queuedAt: build.created,
    startedAt: build.started,
    finishedAt: build.finished,
    pages: {
      build: page('builds', build.buildId),
      execution: page('builds', build.buildId, ...(job ? ['job', job.jobId] : [])),
      application: page(),
      ...(build.branch && !build.isTag && { release: page('branch', build.branch) }),
    },
  };
}
