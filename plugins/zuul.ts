import { z } from 'zod';
import { type Execution, fullCommitOf, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  label,
  maybe,
  type ProviderQuery,
  paged,
  secret,
} from '../lib/providers/index.ts';

const text = maybe(z.string());
/** ISO 8601 without a zone, which is UTC. */
const utc = text.transform((time) => instant.parse(time && `${time}Z`));
const Ref = z.object({
  project: text,
  branch: text,
  ref: text,
  newrev: text,
  patchset: maybe(label),
  change: maybe(label),
});
/** A buildset or a build; up to version 9 what is in `ref` and `refs` stood beside them. https://zuul-ci.org/docs/zuul/latest/rest-api.html */
const Run = Ref.extend({
  uuid: z.string(),
  result: text,
  pipeline: text,
  job_name: text,
  ref: maybe(z.union([z.string(), Ref])),
  refs: maybe(z.array(Ref)),
  buildset: maybe(z.object({ uuid: z.string() })),
  event_timestamp: utc,
  start_time: utc,
  first_build_start_time: utc,
  end_time: utc,
  last_build_end_time: utc,
});

/** https://zuul-ci.org/docs/zuul/latest/job-content.html#build-status */
export const outcomes: OutcomeTable = {
  IN_PROGRESS: 'running', // our word for no result
  RETRY: 'running',
  SUCCESS: 'passed',
  FAILURE: 'failed',
  POST_FAILURE: 'failed',
  TIMED_OUT: 'failed',
  RETRY_LIMIT: 'failed',
  NODE_FAILURE: 'failed',
  DISK_FULL: 'failed',
  ERROR: 'failed',
  CONFIG_ERROR: 'failed',
  MERGE_CONFLICT: 'failed',
  MERGER_FAILURE: 'failed', // as it was called before
  LOST: 'failed',
  ABORTED: 'cancelled',
  CANCELED: 'cancelled',
  DEQUEUED: 'cancelled',
  SKIPPED: 'skipped',
  NO_JOBS: 'skipped',
};

/** Zuul: buildsets, or the builds of one job. */
export default defineProvider({
  id: 'zuul',
  title: 'Zuul',
  docs: 'https://zuul-ci.org/docs/zuul/latest/rest-api.html',
  words: { application: 'project', release: 'branch or tag', build: 'uuid of a buildset', execution: 'buildset' },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'workflow', 'job'],
  notes: [
    'Runs for changes do not count unless `workflow=` names their pipeline (`check`, `gate`). `job=` shows one job in place of a buildset.',
    'The server filters; only an abbreviated commit, the buildset of a job, and runs that are not for changes are looked for among the newest. What waits to start is not in Zuul’s database, and not seen.',
  ],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl(),
    /** The tenant; none where the address is of one tenant only. */
    tenant: z.string().optional(),
    /** JSON Web Token, for tenants that are not public. */
    token: secret().optional(),
  }),

  async *executions(query, { options: { url, tenant, token }, upstream }) {
    const { application, release, branch, tag, build, workflow, job } = query;
    const list = [...(tenant ? ['tenant', tenant] : []), job === undefined ? 'buildsets' : 'builds'];
    const uuid = job === undefined ? build : undefined;
    const sha = fullCommitOf(query);
    const scans = sha !== query.commit || (job !== undefined && build !== undefined) || workflow === undefined;
    const limit = scans ? 100 : 10;
    const ref = tag && `refs/tags/${tag}`;
    const refs = release === undefined ? [{ branch, ref }] : [{ branch: release }, { ref: `refs/tags/${release}` }];
    // The commit of a branch is its `newrev`, that of a pull request its `patchset`.
    const commits = sha ? [{ newrev: sha }, { patchset: sha }] : [{}];
    for (const filter of refs.flatMap((of) => commits.map((commit) => ({ ...of, ...commit })))) {
      const asked = { project: application, pipeline: workflow, job_name: job, uuid, ...filter, limit };
      const at = (page: number) => endpoint(url, ['api', ...list], { ...asked, skip: (page - 1) * limit });
      const runs = paged(limit, (page) => upstream.json(at(page), z.array(Run), { headers: bearer(token) }));
      for await (const run of runs) yield toExecution(query, tenant ? endpoint(url, ['t', tenant]).href : url, run);
    }
  },
});

/** A run for several changes at once is that of the asked project's. */
function toExecution({ application, workflow }: ProviderQuery, root: string, run: z.infer<typeof Run>): Execution {
  const refs = run.refs ?? (typeof run.ref === 'object' ? [run.ref] : [{ ...run, ref: run.ref }]);
  const own = refs.find(({ project }) => project === application) ?? refs[0];
  const { project = '', branch, ref, newrev, patchset, change } = own ?? {};
  const status = run.result ?? 'IN_PROGRESS';
  const build = run.buildset?.uuid ?? run.uuid;
  const page = endpoint(root, ['buildset', build]).href;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application: project,
    branch,
    tag: /^refs\/tags\/(.+)$/.exec(ref ?? '')?.[1],
    commit: newrev ?? patchset,
    build,
    id: run.uuid,
    workflow: run.pipeline,
    job: run.job_name,
    pullRequest: change !== undefined && workflow === undefined,
    queuedAt: run.event_timestamp,
    startedAt: run.start_time ?? run.first_build_start_time,
    finishedAt: run.result ? (run.end_time ?? run.last_build_end_time) : undefined,
    pages: {
      build: page,
      execution: run.job_name ? endpoint(root, ['build', run.uuid]).href : page,
      ...(project && { application: endpoint(root, ['project', ...project.split('/')]).href }),
      ...(project && branch && { release: endpoint(root, ['buildsets'], { project, branch }).href }),
    },
  };
}
