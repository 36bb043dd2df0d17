import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  instantOfSeconds,
  isSignedBy,
  maybe,
  type ProviderQuery,
  paged,
  secret,
  tokenHeader,
} from '../lib/providers/index.ts';

const text = maybe(z.string());
/** Upper case in lists, lower case in the answer for one. */
const word = maybe(z.string().toLowerCase());
const at = z.union([z.object({ seconds: instantOfSeconds }).transform(({ seconds }) => seconds), instant]);
/** https://docs.semaphore.io/reference/api#pipelines */
const Pipeline = z.object({
  ppl_id: z.string(),
  wf_id: z.string(),
  project_id: z.string(),
  name: text,
  working_directory: text,
  yaml_file_name: text,
  state: word,
  result: word,
  result_reason: word,
  branch_name: text,
  branch_id: text,
  commit_sha: text,
  promotion_of: text,
  created_at: at,
  running_at: at,
  done_at: at,
});
const Project = z.object({ metadata: z.object({ id: z.string() }) });
const Delivery = z.object({ project: z.object({ name: z.string() }) });

/**
 * The result of a pipeline that is done, with its reason where that matters; else its state.
 * https://docs.semaphore.io/reference/api#pipelines
 */
export const outcomes: OutcomeTable = {
  initializing: 'queued',
  pending: 'queued',
  queuing: 'queued',
  running: 'running',
  stopping: 'running',
  passed: 'passed',
  failed: 'failed',
  'stopped: timeout': 'failed',
  'stopped: stuck': 'failed',
  'stopped: internal': 'failed',
  stopped: 'cancelled', // by a user, a strategy, fail-fast, or because the branch was deleted
  canceled: 'cancelled',
};

/** Semaphore, hosted and Community Edition, through API v1alpha. */
export default defineProvider({
  id: 'semaphore',
  title: 'Semaphore',
  docs: 'https://docs.semaphore.io/reference/api',
  words: { application: 'project', release: 'branch or tag', build: 'workflow id', execution: 'pipeline' },
  filters: ['application', 'applicationId', 'release', 'branch', 'tag', 'commit', 'build', 'workflow'],
  notes: [
    'The API has no build numbers: `$BuildNumber` is the id of a workflow. Without a ref the newest of all branches counts; a commit is looked for in pages of 30.',
    '`workflow=` is the file or the name of a pipeline. Without it the pipelines that a promotion started, such as deployments, are passed over.',
    'A name costs a request to find the id of the project: `$ApplicationId` saves it.',
  ],
  options: z.strictObject({
    /** Root of the organization: `https://ORGANIZATION.semaphoreci.com`. */
    url: httpUrl(),
    /** API token. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const { application, applicationId, build, workflow } = query;
    // The documentation asks for this user agent.
    const headers = {
      'user-agent': 'SemaphoreCI v2.0 Client',
      ...tokenHeader('authorization', options.token, 'Token '),
    };
    const of = (segments: string[], parameters = {}) =>
      endpoint(options.url, ['api', 'v1alpha', ...segments], parameters);
    const projectId =
      application === applicationId
        ? application
        : (await upstream.json(of(['projects', application]), Project, { headers })).metadata.id;
    for (const branch_name of namesOf(query)) {
      const pipelines = paged(30, (page) => {
        const url = of(['pipelines'], {
          project_id: projectId,
          wf_id: build,
          branch_name,
          yml_file_path: workflow?.includes('/') ? workflow : undefined,
          page_size: 30,
          page: page > 1 ? page : undefined,
        });
        return upstream.json(url, z.array(Pipeline), { headers });
      });
      for await (const pipeline of pipelines) {
        if (!pipeline.promotion_of || workflow !== undefined)
          yield toExecution(query, options.url, projectId, pipeline);
      }
    }
  },

  // https://docs.semaphore.io/using-semaphore/notifications : tells of pipelines that are done, and of nothing else.
  webhook: {
    verify: ({ headers, body }, key) => isSignedBy(key, body, headers['x-semaphore-signature-256']),
    read: (payload) => ({ application: Delivery.parse(payload).project.name }),
  },
});

/** A tag is named `refs/tags/v1`; a ref of unknown kind is asked for as a branch, then as a tag. */
function namesOf({ branch, tag, release }: ProviderQuery): (string | undefined)[] {
  if (tag !== undefined) return [`refs/tags/${tag}`];
  if (branch !== undefined || release === undefined) return [branch];
  return [release, `refs/tags/${release}`];
}

function toExecution(
  { application, applicationId, workflow }: ProviderQuery,
  url: string,
  projectId: string,
  pipeline: z.infer<typeof Pipeline>,
): Execution {
  const status = wordOf(pipeline);
  const { branch_name = '', wf_id, ppl_id } = pipeline;
  const tag = /^refs\/tags\/(.+)$/.exec(branch_name)?.[1];
  const pullRequest = /^pull-request-\d+$/.test(branch_name);
  const file = `${pipeline.working_directory}/${pipeline.yaml_file_name}`;
  const names = [file, pipeline.yaml_file_name, pipeline.name];
  const page = (segments: string[], query = {}) => endpoint(url, segments, query).href;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    // With the id of a workflow the server may well forget that the project was asked for, too.
    application: pipeline.project_id === projectId ? application : pipeline.project_id,
    applicationId: pipeline.project_id,
    ...(tag ? { tag } : pullRequest ? { release: branch_name } : { branch: branch_name }),
    commit: pipeline.commit_sha,
    build: wf_id,
    id: ppl_id,
    workflow: workflow !== undefined && names.includes(workflow) ? workflow : file,
    pullRequest,
    queuedAt: pipeline.created_at,
    startedAt: pipeline.running_at,
    finishedAt: pipeline.done_at,
    pages: {
      build: page(['workflows', wf_id]),
      execution: page(['workflows', wf_id], { pipeline_id: ppl_id }),
      ...(application !== applicationId && { application: page(['projects', application]) }),
      ...(pipeline.branch_id && { release: page(['branches', pipeline.branch_id]) }),
    },
  };
}

function wordOf({ state = '', result = '', result_reason }: z.infer<typeof Pipeline>): string {
  const withReason = `${result}: ${result_reason}`;
  if (state !== 'done') return state;
  return Object.hasOwn(outcomes, withReason) ? withReason : result;
}
