import { z } from 'zod';
import { type Execution, matches, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instantOfSeconds,
  maybe,
  type ProviderQuery,
  paged,
  secret,
  splitName,
} from '../lib/providers/index.ts';

/** https://woodpecker-ci.org/api; the times' names up to version 2 end in `_at`. */
const Pipeline = z.object({
  id: z.number(),
  number: z.number(),
  status: z.string(),
  event: maybe(z.string()),
  commit: maybe(z.string()),
  ref: maybe(z.string()),
  variables: maybe(z.record(z.string(), z.string())),
  workflows: maybe(z.array(z.object({ name: z.string(), state: z.string() }))),
  created: instantOfSeconds,
  created_at: instantOfSeconds,
  started: instantOfSeconds,
  started_at: instantOfSeconds,
  finished: instantOfSeconds,
  finished_at: instantOfSeconds,
});
const Repository = z.object({ id: z.number(), name: z.string(), default_branch: maybe(z.string()) });

/** https://github.com/woodpecker-ci/woodpecker/blob/main/server/model/const.go */
export const outcomes: OutcomeTable = {
  created: 'queued',
  pending: 'queued',
  blocked: 'waiting', // for an approval
  running: 'running',
  success: 'passed',
  failure: 'failed',
  error: 'failed',
  killed: 'cancelled',
  canceled: 'cancelled',
  declined: 'cancelled',
  skipped: 'skipped',
};

const IS_ID = /^\d{1,18}$/;

/** Woodpecker CI, from version 1 on. */
export default defineProvider({
  id: 'woodpecker',
  title: 'Woodpecker CI',
  docs: 'https://woodpecker-ci.org/api',
  words: { application: 'owner/repository', release: 'branch or tag', build: 'pipeline number', execution: 'pipeline' },
  filters: ['application', 'applicationId', 'release', 'branch', 'tag', 'commit', 'build', 'workflow', 'variables'],
  notes: [
    'A name costs a request for its number first; `$ApplicationId`, the number in the address of the repository’s page, saves it.',
    'The server filters by ref and pipeline number; commits and `$Name` variables (of pipelines started by hand) are looked for among the newest pipelines. `workflow=` costs a request more.',
  ],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl(),
    /** Personal access token. Public repositories need none. */
    token: secret().optional(),
  }),

  async *executions(query, { options: { url, token }, upstream }) {
    const { application, build, branch, tag, release, commit, variables, workflow } = query;
    const init = { headers: bearer(token) };
    const id = IS_ID.test(application)
      ? application
      : (await upstream.json(lookup(url, application), Repository, init)).id;
    const pipelines = ['api', 'repos', id, 'pipelines'];
    const find = (number: string | number) => upstream.json(endpoint(url, [...pipelines, number]), Pipeline, init);
    const read = (pipeline: z.infer<typeof Pipeline>) =>
      toExecution(query, endpoint(url, ['repos', id]).href, pipeline);
    if (build !== undefined) {
      if (IS_ID.test(build)) yield read(await find(build));
      return;
    }
    // `ref` is looked for anywhere in `refs/heads/…`, and `branch` of a pull request is that of its target.
    const ref = branch !== undefined ? `refs/heads/${branch}` : tag !== undefined ? `refs/tags/${tag}` : release;
    const perPage = release !== undefined || commit !== undefined || variables ? 50 : 10;
    const list = (page: number) => endpoint(url, pipelines, { branch, ref, perPage, page });
    for await (const pipeline of paged(perPage, (page) => upstream.json(list(page), z.array(Pipeline), init))) {
      const wantsWorkflows = workflow !== undefined && matches({ ...query, workflow: undefined }, read(pipeline));
      yield read(wantsWorkflows ? { ...pipeline, workflows: (await find(pipeline.number)).workflows } : pipeline);
    }
  },

  async findProject(application, { options: { url, token }, upstream }) {
    const repository = await upstream.json(lookup(url, application), Repository, { headers: bearer(token) });
    return { id: String(repository.id), title: repository.name, defaultBranch: repository.default_branch };
  },
});

/** By number or name; where the forge has subgroups a name has more than two parts. */
function lookup(url: string, application: string): URL {
  const by = IS_ID.test(application) ? [application] : ['lookup', ...splitName(application, 'owner/repository', 9, 2)];
  return endpoint(url, ['api', 'repos', ...by]);
}

/** Of one workflow where the query names one; a pipeline of a list has none. */
function toExecution(query: ProviderQuery, root: string, pipeline: z.infer<typeof Pipeline>): Execution {
  const [, kind, name = pipeline.ref] = /^refs\/(heads|tags)\/(.+)$/.exec(pipeline.ref ?? '') ?? [];
  const workflow = pipeline.workflows?.find((one) => one.name === query.workflow);
  const status = workflow?.state ?? pipeline.status;
  const page = endpoint(root, ['pipeline', pipeline.number]).href;
  const branch = kind === 'heads' ? name : undefined;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application: query.application,
    applicationId: root.split('/').at(-1),
    release: name,
    branch,
    tag: kind === 'tags' ? name : undefined,
    commit: pipeline.commit,
    build: String(pipeline.number),
    id: String(pipeline.id),
    workflow: query.workflow && (workflow?.name ?? ''),
    variables: pipeline.variables ?? {},
    pullRequest: pipeline.event?.startsWith('pull_request'),
    queuedAt: pipeline.created ?? pipeline.created_at,
    startedAt: pipeline.started ?? pipeline.started_at,
    finishedAt: pipeline.finished ?? pipeline.finished_at,
    pages: {
      build: page,
      execution: page,
      application: root,
      ...(branch && { release: endpoint(root, ['branches', branch]).href }),
    },
  };
}
