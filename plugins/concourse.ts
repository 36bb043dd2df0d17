import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instantOfSeconds,
  maybe,
  type ProviderQuery,
  secret,
  splitName,
} from '../lib/providers/index.ts';

/** https://github.com/concourse/concourse/blob/master/atc/build.go */
const Build = z.object({
  id: z.number(),
  name: z.string(),
  status: z.string(),
  team_name: z.string(),
  pipeline_name: z.string(),
  pipeline_instance_vars: maybe(z.record(z.string(), z.unknown())),
  job_name: maybe(z.string()),
  start_time: instantOfSeconds,
  end_time: instantOfSeconds,
});
/** What a build was made from: of git `ref` is the commit, of releases `tag` the tag. */
const Version = z.object({ ref: maybe(z.string()), tag: maybe(z.string()) });
const Resources = z.object({ inputs: maybe(z.array(z.object({ version: Version }))) });

/** The words of `BuildStatus` in the same file. */
export const outcomes: OutcomeTable = {
  pending: 'queued',
  started: 'running',
  succeeded: 'passed',
  failed: 'failed',
  errored: 'failed', // something around the build broke, not a step of it
  aborted: 'cancelled',
};

/** Concourse. */
export default defineProvider({
  id: 'concourse',
  title: 'Concourse',
  docs: 'https://concourse-ci.org/observation.html',
  words: {
    application: 'team/pipeline/job, or team/pipeline',
    release: 'instance variable `branch`',
    build: 'build name, 12 or 12.1',
    execution: 'build',
  },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'job', 'variables'],
  notes: [
    'One request of the newest 25 builds, of a job or, for `team/pipeline`, of all jobs. `job=` names a job whose name has a slash.',
    '`$Branch` and `$Name` are the variables of an instanced pipeline: all of them, and texts. `$GitCommit` and `$Tag` are looked for in the inputs of the newest builds, at one request each.',
    'There are no lasting tokens: expose the pipelines that have badges, or renew the token every day.',
  ],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl(),
    /** Token of `fly login`, which lives for a day. Exposed pipelines need none. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const [team = '', pipeline = '', job = query.job] = splitName(query.application, 'team/pipeline/job', 3, 2);
    const headers = bearer(options.token);
    const names = [
      'api',
      'v1',
      'teams',
      team,
      'pipelines',
      pipeline,
      ...(job === undefined ? [] : ['jobs', job]),
      'builds',
    ];
    const vars = instanceOf({ branch: query.branch ?? query.release, ...query.variables });
    const named = job === undefined ? undefined : query.build;
    const builds =
      named === undefined
        ? await upstream.json(endpoint(options.url, names, { limit: 25, ...vars }), z.array(Build), { headers })
        : [await upstream.json(endpoint(options.url, [...names, named], vars), Build, { headers })];
    for (const build of builds) {
      const execution = toExecution(query, options.url, build);
      if (query.commit === undefined && query.tag === undefined) {
        yield execution;
      } else {
        const resources = endpoint(options.url, ['api', 'v1', 'builds', build.id, 'resources']);
        const { inputs = [] } = await upstream.json(resources, Resources, { headers });
        yield {
          ...execution,
          ...versionOf(
            query,
            inputs.map(({ version }) => version),
          ),
        };
      }
    }
  },
});

/** How addresses name the instance of a pipeline: https://concourse-ci.org/instanced-pipelines.html */
function instanceOf(vars: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = Object.entries(vars).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [`vars.${name}`, JSON.stringify(value)]));
}

/** The commit and the tag that were asked for; empty, and so no match, where no input has them. */
function versionOf(
  { commit, tag }: ProviderQuery,
  versions: z.infer<typeof Version>[],
): Pick<Execution, 'commit' | 'tag'> {
  return {
    ...(commit !== undefined && { commit: versions.find(({ ref }) => ref?.startsWith(commit))?.ref ?? '' }),
    ...(tag !== undefined && { tag: versions.find((version) => version.tag === tag)?.tag ?? '' }),
  };
}

function toExecution({ application, job }: ProviderQuery, url: string, build: z.infer<typeof Build>): Execution {
  const { team_name, pipeline_name, job_name, pipeline_instance_vars: vars = {} } = build;
  const pipeline = ['teams', team_name, 'pipelines', pipeline_name];
  const whole = job_name === undefined ? pipeline : [...pipeline, 'jobs', job_name];
  const page = (...names: string[]) => endpoint(url, names, instanceOf(vars)).href;
  const isOfJob = application.split('/').length > 2;
  const own = job_name === undefined ? page('builds', String(build.id)) : page(...whole, 'builds', build.name);
  return {
    outcome: outcomeOf(outcomes, build.status),
    status: build.status,
    application: [team_name, pipeline_name, ...(isOfJob && job_name !== undefined ? [job_name] : [])].join('/'),
    branch: typeof vars.branch === 'string' ? vars.branch : undefined,
    build: build.name,
    id: String(build.id),
    job: job_name,
    variables: Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, String(value)])),
    startedAt: build.start_time,
    finishedAt: build.end_time,
    pages: {
      build: own,
      execution: own,
      application: isOfJob || job !== undefined ? page(...whole) : page(...pipeline),
      release: page(...pipeline),
    },
  };
}
