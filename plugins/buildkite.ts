import { z } from 'zod';
import { type Execution, fullCommitOf, matches, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  isSignedBy,
  label,
  maybe,
  type ProviderQuery,
  paged,
  sameText,
  secret,
  splitName,
} from '../lib/providers/index.ts';

const text = maybe(z.string());
const flag = maybe(z.boolean());
const Values = maybe(z.record(z.string(), z.unknown()));
/** Waiters have neither name nor state. */
const Job = z.object({ name: text, step_key: text, state: text, soft_failed: flag, web_url: text });
/** https://buildkite.com/docs/apis/rest-api/builds */
const Build = z.object({
  id: z.string(),
  number: label,
  state: z.string(),
  blocked: flag,
  blocked_state: text,
  branch: text,
  tag: text,
  commit: text,
  env: Values,
  meta_data: Values,
  pull_request: maybe(z.object({ id: maybe(label) })),
  jobs: maybe(z.array(Job)),
  web_url: z.url(),
  created_at: instant,
  started_at: instant,
  finished_at: instant,
});
const Pipeline = z.object({ id: z.string(), name: z.string(), default_branch: text });
const Delivery = z.object({ event: z.string(), build: maybe(z.object({ web_url: text })) });

/** States of builds and of jobs. https://buildkite.com/docs/apis/rest-api/builds#job-data-model */
export const outcomes: OutcomeTable = {
  creating: 'queued',
  pending: 'queued',
  scheduled: 'queued',
  waiting: 'queued',
  limiting: 'queued',
  limited: 'queued',
  assigned: 'queued',
  accepted: 'queued',
  blocked: 'waiting', // also our word for `blocked: true`, unless the pipeline says what that counts as
  running: 'running',
  failing: 'running',
  canceling: 'running',
  timing_out: 'running',
  passed: 'passed',
  unblocked: 'passed',
  soft_failed: 'warned', // our word for `soft_failed: true` of a job, and for a build that passed with such a job
  failed: 'failed',
  waiting_failed: 'failed',
  blocked_failed: 'failed',
  unblocked_failed: 'failed',
  timed_out: 'failed',
  expired: 'failed',
  canceled: 'cancelled',
  skipped: 'skipped',
  not_run: 'skipped',
  broken: 'skipped', // a job that its condition keeps from running
};

/** Buildkite Pipelines. */
export default defineProvider({
  id: 'buildkite',
  title: 'Buildkite',
  docs: 'https://buildkite.com/docs/apis/rest-api/builds',
  words: { application: 'organization/pipeline', release: 'branch or tag', build: 'build number', execution: 'build' },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'job', 'variables'],
  notes: [
    'A branch, a full SHA and a number are asked of the server; the rest is looked for in pages of 100. `$Name` variables are the environment and the meta-data of a build.',
    '`job=` is the name or the key of a step. It, and a passed build, cost a second request, for jobs may have failed softly. An organization has 200 requests a minute.',
  ],
  options: z.strictObject({
    /** Root of the API, without `/v2`. */
    url: httpUrl().default('https://api.buildkite.com'),
    /** API access token with the scope `read_builds`, and `read_pipelines` for the default branch. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const headers = bearer(options.token);
    const builds = [...toPipeline(query.application), 'builds'];
    const one = (number: string) => upstream.json(endpoint(options.url, [...builds, number]), Build, { headers });
    if (query.build !== undefined) return yield toExecution(query, await one(query.build));
    const commit = fullCommitOf(query);
    const size = query.commit !== commit || query.tag !== undefined || query.variables ? 100 : 10;
    // A ref is asked for as a branch; where that has no match, it is looked for as a tag among all.
    for (const branch of query.release === undefined ? [query.branch] : [query.release, undefined]) {
      const list = paged(size, (page) => {
        const slim = { exclude_jobs: true, exclude_pipeline: true, per_page: size, page: page > 1 ? page : undefined };
        return upstream.json(endpoint(options.url, builds, { branch, commit, ...slim }), z.array(Build), { headers });
      });
      for await (const build of list) {
        const execution = toExecution(query, build);
        const wantsJobs = !build.jobs && (build.state === 'passed' || query.job !== undefined);
        const asked = wantsJobs && matches({ ...query, job: undefined }, execution);
        yield asked ? toExecution(query, await one(build.number)) : execution;
      }
    }
  },

  async findProject(application, { options, upstream }) {
    const url = endpoint(options.url, toPipeline(application));
    const { id, name, default_branch } = await upstream.json(url, Pipeline, { headers: bearer(options.token) });
    return { id, title: name, defaultBranch: default_branch };
  },

  // https://buildkite.com/docs/apis/webhooks/pipelines : the token as it stands, or a signature of time and body.
  webhook: {
    verify({ headers, body }, key) {
      const signed = /^timestamp=(\d+),signature=([0-9a-f]+)$/.exec(headers['x-buildkite-signature'] ?? '');
      if (!signed) return sameText(headers['x-buildkite-token'], key.reveal());
      return isSignedBy(key, Buffer.concat([Buffer.from(`${signed[1]}.`), body]), signed[2]);
    },
    read: (payload) => {
      const { event, build } = Delivery.parse(payload);
      const [, application] = /^https?:\/\/[^/]+\/([^/]+\/[^/]+)\/builds\//.exec(build?.web_url ?? '') ?? [];
      return /^(build|job)\./.test(event) ? { application } : undefined;
    },
  },
});

function toPipeline(application: string): string[] {
  const [organization = '', pipeline = ''] = splitName(application, 'organization/pipeline');
  return ['v2', 'organizations', organization, 'pipelines', pipeline];
}

function toExecution(query: ProviderQuery, build: z.infer<typeof Build>): Execution {
  const named = build.jobs?.filter(({ name, step_key }) => query.job && [name, step_key].includes(query.job)) ?? [];
  const job = named.find(({ state }) => state !== 'passed') ?? named[0];
  const status = job ? (job.soft_failed ? 'soft_failed' : (job.state ?? '')) : stateOf(build);
  const variables = Object.entries({ ...build.env, ...build.meta_data });
  const { branch, web_url } = build;
  const pipeline = web_url.replace(/\/builds\/[^/]*$/, '');
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application: query.application,
    branch,
    tag: build.tag,
    commit: build.commit,
    build: build.number,
    id: build.id,
    job: job ? query.job : '', // has none of that name, or none is asked for
    variables: Object.fromEntries(variables.map(([name, value]) => [name, String(value)])),
    pullRequest: build.pull_request?.id !== undefined,
    queuedAt: build.created_at,
    startedAt: build.started_at,
    finishedAt: build.finished_at,
    pages: {
      build: web_url,
      execution: job?.web_url ?? web_url,
      application: pipeline,
      ...(branch && { release: `${pipeline}/builds?branch=${encodeURIComponent(branch)}` }),
    },
  };
}

/** A blocked build keeps the state that it had; `blocked_state` is what its pipeline says that it counts as. */
function stateOf({ state, blocked, blocked_state, jobs }: z.infer<typeof Build>): string {
  if (blocked) return blocked_state || 'blocked';
  return state === 'passed' && jobs?.some(({ soft_failed }) => soft_failed) ? 'soft_failed' : state;
}
