import { z } from 'zod';
import { type Execution, fullCommitOf, matches, type OutcomeTable, outcomeOf, refOf } from '../lib/builds/index.ts';
import {
  basic,
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

/** A state with its result once it has ended, with its stage before. */
const Word = maybe(z.object({ name: maybe(z.string()) }));
const State = z.object({ name: z.string(), result: Word, stage: Word });
/** https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines */
const Pipeline = z.object({
  uuid: z.string(),
  build_number: z.number(),
  state: State,
  created_on: instant,
  completed_on: instant,
  target: z.object({
    ref_type: maybe(z.string()),
    ref_name: maybe(z.string()),
    source: maybe(z.string()), // the branch of a pull request
    commit: maybe(z.object({ hash: z.string() })),
    selector: maybe(z.object({ type: z.unknown(), pattern: maybe(z.string()) })),
  }),
});
const Pipelines = z.object({ values: z.array(Pipeline) });
const Steps = z.object({ values: z.array(z.object({ name: maybe(z.string()), state: State })) });
const Repository = z.object({ uuid: z.string(), name: z.string(), mainbranch: Word });
const Commits = z.object({ values: z.array(z.object({ hash: z.string() })) });
const Tags = z.object({ values: z.array(z.object({ name: z.string() })) });
const Delivery = z.object({ repository: z.object({ full_name: z.string() }) });

/** https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines: `pipeline_state` and `pipeline_step_state` */
export const outcomes: OutcomeTable = {
  PENDING: 'queued',
  PARSING: 'queued',
  READY: 'queued',
  IN_PROGRESS: 'running',
  RUNNING: 'running',
  PAUSED: 'waiting', // for somebody to start a manual step
  HALTED: 'waiting', // the same, after a failure
  SUCCESSFUL: 'passed',
  FAILED: 'failed',
  ERROR: 'failed',
  EXPIRED: 'failed',
  STOPPED: 'cancelled',
  NOT_RUN: 'skipped',
};

/** A whole pipeline has 3 kB. */
const FIELDS = 'values.uuid,values.build_number,values.state,values.target,values.created_on,values.completed_on';

const options = z.strictObject({
  /** Root of the API. */
  url: httpUrl().default('https://api.bitbucket.org'),
  /** E-mail address of the account that an API token belongs to; repository, project and workspace tokens have none. */
  user: z.string().optional(),
  /** Token with the scopes `read:pipeline` and `read:repository`. Public repositories need none. */
  token: secret().optional(),
});
const headersOf = ({ user, token }: z.output<typeof options>) => (user ? basic(user, token) : bearer(token));
const rootOf = (application: string) => ['2.0', 'repositories', ...splitName(application, 'workspace/repository')];

/** Bitbucket Pipelines, in Bitbucket Cloud. Bitbucket Data Center has none. */
export default defineProvider({
  id: 'bitbucket',
  title: 'Bitbucket Pipelines',
  docs: 'https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines',
  words: {
    application: 'workspace/repository',
    release: 'branch or tag',
    build: 'pipeline number',
    execution: 'pipeline',
  },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'workflow', 'job'],
  notes: [
    '`workflow=` is the pattern of a custom, branch or tag pipeline, else `default`; `job=` is the name of a step and costs one more request.',
    'Ref, number and full SHA are filtered by the server; a short SHA and a workflow by looking through the newest pipelines.',
    'Webhooks: the events “build status created” and “build status updated”, with a secret.',
  ],
  options,

  async *executions(query, { options, upstream }) {
    const { job, ...whole } = query;
    const headers = headersOf(options);
    const at = (segments: string[], filters = {}) => {
      return endpoint(options.url, [...rootOf(query.application), 'pipelines', ...segments], filters);
    };
    const hash = fullCommitOf(query);
    const size = query.workflow || query.commit !== hash ? 100 : 10;
    const listed = paged(size, async (page) => {
      const list = at([], {
        'target.ref_type': query.branch ? 'BRANCH' : query.tag ? 'TAG' : undefined,
        'target.ref_name': refOf(query),
        'target.commit.hash': hash,
        sort: '-created_on', // else the oldest come first
        fields: FIELDS,
        pagelen: size,
        page,
      });
      return (await upstream.json(list, Pipelines, { headers })).values;
    });
    // The number stands for the UUID: https://github.com/atlassian-api/atlassian-python-api/pull/667
    const numbered = async (number: string) => [await upstream.json(at([number]), Pipeline, { headers })];
    if (query.build && !/^\d+$/.test(query.build)) return;
    for await (const pipeline of query.build ? await numbered(query.build) : listed) {
      const execution = toExecution(query.application, pipeline);
      if (job === undefined) yield execution;
      else if (matches(whole, execution)) {
        const { values } = await upstream.json(at([pipeline.uuid, 'steps']), Steps, { headers });
        for (const step of values) yield { ...execution, ...toVerdict(step.state), job: step.name };
      }
    }
  },

  async findProject(application, { options, upstream }, wish) {
    const headers = headersOf(options);
    const at = (segments: string[], query = {}) => {
      return endpoint(options.url, [...rootOf(application), ...segments], query);
    };
    const { uuid, name, mainbranch } = await upstream.json(at([]), Repository, { headers });
    const commits = at(['commits'], { include: mainbranch?.name, pagelen: 1 });
    const tags = at(['refs', 'tags'], { sort: '-target.date', pagelen: 1 });
    const [newest, latest] = await Promise.all([
      wish.commit ? upstream.find(commits, Commits, { headers }) : undefined,
      wish.tag ? upstream.find(tags, Tags, { headers }) : undefined,
    ]);
    return {
      id: uuid,
      title: name,
      defaultBranch: mainbranch?.name,
      commit: newest?.values[0]?.hash,
      tag: latest?.values[0]?.name,
    };
  },

  // https://support.atlassian.com/bitbucket-cloud/docs/event-payloads: pipelines report themselves as build statuses
  webhook: {
    verify: ({ headers, body }, key) => isSignedBy(key, body, headers['x-hub-signature']),
    read: (payload, { headers }) =>
      headers['x-event-key']?.startsWith('repo:commit_status_')
        ? { application: Delivery.parse(payload).repository.full_name }
        : undefined,
  },
});

function toVerdict({ name, result, stage }: z.infer<typeof State>): Pick<Execution, 'outcome' | 'status'> {
  const status = result?.name ?? stage?.name ?? name;
  return { outcome: outcomeOf(outcomes, status), status };
}

function toExecution(application: string, pipeline: z.infer<typeof Pipeline>): Execution {
  const { uuid, build_number, state, target, created_on, completed_on } = pipeline;
  const kind = target.ref_type?.toLowerCase();
  const ref = target.ref_name ?? target.source;
  // Some answers have an object where others have its type.
  const type = z.string().catch('default').parse(target.selector?.type);
  const page = (...segments: (string | number)[]) => {
    return endpoint('https://bitbucket.org', [...application.split('/'), ...segments]).href;
  };
  const build = page('pipelines', 'results', build_number);
  return {
    ...toVerdict(state),
    application,
    release: ref,
    ...((kind === 'branch' || target.source !== undefined) && { branch: ref }),
    ...(kind === 'tag' && { tag: ref }),
    commit: target.commit?.hash,
    build: String(build_number),
    id: uuid,
    workflow: target.selector?.pattern ?? type,
    pullRequest: target.source !== undefined,
    queuedAt: created_on,
    finishedAt: completed_on,
    pages: {
      build,
      execution: build,
      application: page('pipelines'),
      ...(ref && { release: page(kind === 'tag' ? 'src' : 'branch', ref) }),
    },
  };
}
