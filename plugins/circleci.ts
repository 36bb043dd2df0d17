import { z } from 'zod';
import { type BuildQuery, type Execution, matches, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  isSignedBy,
  label,
  maybe,
  secret,
  splitName,
  tokenHeader,
} from '../lib/providers/index.ts';

const text = maybe(z.string());
const Git = z.object({ branch: text, tag: text, revision: text, checkout_sha: text });
/** Projects of the GitHub App and of GitLab have only `trigger_parameters`. https://circleci.com/docs/api/v2/ */
const Pipeline = z.object({
  id: z.string(),
  number: label,
  state: z.string(),
  created_at: instant,
  vcs: maybe(Git),
  trigger_parameters: maybe(z.object({ git: maybe(Git) })),
});
const Workflow = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  created_at: instant,
  stopped_at: instant,
});
const Pipelines = z.object({ items: z.array(Pipeline), next_page_token: text });
const Workflows = z.object({ items: z.array(Workflow) });
const Project = z.object({ id: z.string(), name: z.string(), vcs_info: maybe(z.object({ default_branch: text })) });
const Delivery = z.object({ type: z.string(), project: z.object({ slug: z.string() }) });

/** The status of a workflow; of a pipeline without one, its state. https://circleci.com/docs/api/v2/ */
export const outcomes: OutcomeTable = {
  failed: 'failed',
  error: 'failed',
  errored: 'failed', // a pipeline whose configuration is wrong: nothing ran
  unauthorized: 'failed',
  running: 'running',
  failing: 'running',
  setup: 'running',
  queued: 'queued',
  pending: 'queued',
  'setup-pending': 'queued',
  on_hold: 'waiting',
  canceled: 'cancelled',
  success: 'passed',
  not_run: 'skipped',
  created: 'skipped', // a pipeline all of whose workflows were filtered out
};
const SLUG = 'gh/owner/repository';

/** CircleCI, hosted and Server, through API v2. */
export default defineProvider({
  id: 'circleci',
  title: 'CircleCI',
  docs: 'https://circleci.com/docs/api/v2/',
  words: { application: SLUG, release: 'branch or tag', build: 'pipeline number', execution: 'workflow' },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'workflow'],
  notes: [
    'Slugs are `gh/…`, `bb/…` or `circleci/ORGANIZATION-ID/PROJECT-ID`. A branch and a number are filtered by the server; tags and commits are looked for in pages of 20.',
    'A badge costs two requests. Without `workflow=` the gravest of the newest workflow of each name stands for the pipeline.',
    'A pipeline whose configuration cannot be read belongs to no branch: a query for a branch does not see it.',
  ],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl().default('https://circleci.com'),
    /** Personal API token: project tokens do not work with API v2. Public projects need none. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const headers = tokenHeader('circle-token', options.token);
    const at = (segments: string[], parameters = {}) => endpoint(options.url, ['api', 'v2', ...segments], parameters);
    const project = ['project', ...splitName(query.application, SLUG), 'pipeline'];
    async function* pipelines(): AsyncIterable<z.infer<typeof Pipeline>> {
      if (query.build !== undefined)
        return yield await upstream.json(at([...project, query.build]), Pipeline, { headers });
      // A ref is asked for as a branch; where that has no match, it is looked for as a tag among all.
      for (const branch of query.release === undefined ? [query.branch] : [query.release, undefined]) {
        let page: z.infer<typeof Pipelines> | undefined;
        do {
          const parameters = { branch, 'page-token': page?.next_page_token };
          page = await upstream.json(at(project, parameters), Pipelines, { headers });
          yield* page.items;
        } while (page.next_page_token);
      }
    }
    const ofPipeline: BuildQuery = { ...query, workflow: undefined, finished: undefined };
    for await (const pipeline of pipelines()) {
      // The empty name: it has no workflow, or does not match anyway and is not asked for them.
      const alone = { ...toExecution(query.application, pipeline), workflow: '' };
      const asked = pipeline.state === 'created' && matches(ofPipeline, alone);
      const url = at(['pipeline', pipeline.id, 'workflow']);
      const workflows = asked ? (await upstream.json(url, Workflows, { headers })).items : [];
      const workflow = gravestOf(workflows.filter(({ name }) => name === (query.workflow ?? name)));
      yield workflow ? toExecution(query.application, pipeline, workflow) : alone;
    }
  },

  async findProject(application, { options, upstream }) {
    const url = endpoint(options.url, ['api', 'v2', 'project', ...splitName(application, SLUG)]);
    const project = await upstream.json(url, Project, { headers: tokenHeader('circle-token', options.token) });
    return { id: project.id, title: project.name, defaultBranch: project.vcs_info?.default_branch };
  },

  // https://circleci.com/docs/reference/outbound-webhooks-reference/: `v1=…`, and later others beside it.
  webhook: {
    verify: ({ headers, body }, key) =>
      isSignedBy(key, body, /(?:^|,)v1=([0-9a-f]+)/.exec(headers['circleci-signature'] ?? '')?.[1]),
    read: (payload) => {
      const { type, project } = Delivery.parse(payload);
      if (type !== 'workflow-completed' && type !== 'job-completed') return undefined;
      return { application: project.slug.replace(/^github\//, 'gh/').replace(/^bitbucket\//, 'bb/') };
    },
  },
});

type Workflow = z.infer<typeof Workflow>;

/** Of each name the newest counts: a re-run adds a workflow to the same pipeline. The table starts with the gravest. */
function gravestOf(workflows: readonly Workflow[]): Workflow | undefined {
  const oldestFirst = workflows.toSorted((a, b) => Number(a.created_at) - Number(b.created_at));
  const newest = new Map(oldestFirst.map((workflow) => [workflow.name, workflow])).values();
  const rank = ({ status }: Workflow) => Object.keys(outcomes).indexOf(status);
  return [...newest].toSorted((a, b) => rank(a) - rank(b))[0];
}

function toExecution(application: string, pipeline: z.infer<typeof Pipeline>, workflow?: Workflow): Execution {
  const git = pipeline.vcs ?? pipeline.trigger_parameters?.git;
  const status = workflow?.status ?? pipeline.state;
  const branch = git?.branch || undefined;
  const page = (segments: string[], query = {}) =>
    endpoint('https://app.circleci.com/pipelines', [...application.split('/'), ...segments], query).href;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application,
    branch,
    tag: git?.tag || undefined,
    commit: git?.revision ?? git?.checkout_sha,
    build: pipeline.number,
    id: pipeline.id,
    workflow: workflow?.name,
    pullRequest: branch?.startsWith('pull/') ?? false, // of a fork
    queuedAt: pipeline.created_at,
    startedAt: workflow?.created_at,
    finishedAt: workflow?.stopped_at,
    pages: {
      build: page([pipeline.number]),
      ...(workflow && { execution: page([pipeline.number, 'workflows', workflow.id]) }),
      application: page([]),
      ...(branch && { release: page([], { branch }) }),
    },
  };
}
