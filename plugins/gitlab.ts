import { z } from 'zod';
import { type Execution, fullCommitOf, matches, type OutcomeTable, outcomeOf, refOf } from '../lib/builds/index.ts';
import {
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  label,
  maybe,
  paged,
  sameText,
  secret,
  tokenHeader,
} from '../lib/providers/index.ts';

/** A pipeline as lists give it. https://docs.gitlab.com/api/pipelines */
const Pipeline = z.object({
  id: z.number(),
  iid: maybe(label),
  project_id: maybe(label),
  name: maybe(z.string()),
  status: z.string(),
  source: maybe(z.string()),
  ref: maybe(z.string()),
  sha: z.string(),
  web_url: maybe(z.url()),
  created_at: instant,
});
/** What only the answer for one pipeline has: warnings, times, and whether the ref is a tag. */
const Detail = z.object({
  tag: maybe(z.boolean()),
  started_at: instant,
  finished_at: instant,
  detailed_status: maybe(z.object({ group: maybe(z.string()) })),
});
const Variables = z.array(z.object({ key: z.string(), value: z.string() }));
const Project = z.object({ id: z.number(), name: z.string(), default_branch: maybe(z.string()) });
const Commits = z.array(z.object({ id: z.string() }));
const Tags = z.array(z.object({ name: z.string() }));
const Delivery = z.object({ project: z.object({ path_with_namespace: z.string() }) });

/** https://docs.gitlab.com/api/pipelines#list-project-pipelines and the group of `detailed_status` */
export const outcomes: OutcomeTable = {
  created: 'queued',
  waiting_for_resource: 'queued',
  preparing: 'queued',
  pending: 'queued',
  scheduled: 'queued',
  manual: 'waiting',
  running: 'running',
  canceling: 'running',
  waiting_for_callback: 'running',
  success: 'passed',
  'success-with-warnings': 'warned',
  failed: 'failed',
  canceled: 'cancelled',
  skipped: 'skipped',
};

/** GitLab CI, on gitlab.com and self-managed. */
export default defineProvider({
  id: 'gitlab',
  title: 'GitLab CI',
  docs: 'https://docs.gitlab.com/api/pipelines',
  words: { application: 'group/project', release: 'branch or tag', build: 'pipeline IID', execution: 'pipeline' },
  filters: ['application', 'applicationId', 'release', 'branch', 'tag', 'commit', 'build', 'workflow', 'variables'],
  notes: [
    '`$ApplicationId` is the number of the project; `workflow=` is the name of the pipeline.',
    'A successful pipeline costs a second request, for only that one tells of warnings; `$Name` variables cost one for each pipeline looked at and need the role Maintainer.',
  ],
  options: z.strictObject({
    /** Root of the server, with its relative root if it has one, without `/api/v4`. */
    url: httpUrl().default('https://gitlab.com'),
    /** Access token with the scope `read_api`. Public pipelines need none. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const headers = tokenHeader('private-token', options.token);
    const project = ['api', 'v4', 'projects', query.application];
    const sha = fullCommitOf(query);
    const scans = query.build !== undefined || query.commit !== sha || query.variables;
    const size = scans ? 100 : 10;
    const pipelines = paged(size, (page) => {
      const url = endpoint(options.url, [...project, 'pipelines'], {
        ref: refOf(query),
        sha,
        name: query.workflow,
        per_page: size,
        page: page > 1 ? page : undefined,
      });
      return upstream.json(url, z.array(Pipeline), { headers });
    });
    for await (const pipeline of pipelines) {
      const one = (...more: string[]) => endpoint(options.url, [...project, 'pipelines', pipeline.id, ...more]);
      let execution = toExecution(query.application, pipeline);
      if (query.variables) {
        const variables = await upstream.json(one('variables'), Variables, { headers });
        execution = { ...execution, variables: Object.fromEntries(variables.map(({ key, value }) => [key, value])) };
      }
      const wantsDetail = pipeline.status === 'success' && matches(query, execution);
      yield wantsDetail ? withDetail(execution, await upstream.json(one(), Detail, { headers })) : execution;
    }
  },

  async findProject(application, { options, upstream }, wish) {
    const headers = tokenHeader('private-token', options.token);
    const at = (segments: string[], query = {}) => {
      return endpoint(options.url, ['api', 'v4', 'projects', application, ...segments], query);
    };
    const { id, name, default_branch } = await upstream.json(at([]), Project, { headers });
    const commits = at(['repository', 'commits'], { ref_name: default_branch, per_page: 1 });
    const tags = at(['repository', 'tags'], { order_by: 'updated', sort: 'desc', per_page: 1 });
    const [newest, latest] = await Promise.all([
      wish.commit ? upstream.find(commits, Commits, { headers }) : undefined,
      wish.tag ? upstream.find(tags, Tags, { headers }) : undefined,
    ]);
    return {
      id: String(id),
      title: name,
      defaultBranch: default_branch,
      commit: newest?.[0]?.id,
      tag: latest?.[0]?.name,
    };
  },

  webhook: {
    verify: ({ headers }, key) => sameText(headers['x-gitlab-token'], key.reveal()),
    read: (payload, { headers }) =>
      ['Pipeline Hook', 'Job Hook'].includes(headers['x-gitlab-event'] ?? '')
        ? { application: Delivery.parse(payload).project.path_with_namespace }
        : undefined,
  },
});

function toExecution(application: string, pipeline: z.infer<typeof Pipeline>): Execution {
  const { status, ref, web_url } = pipeline;
  const project = web_url?.replace(/\/(-\/)?pipelines\/\d+.*$/, '');
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application,
    applicationId: pipeline.project_id,
    release: ref,
    commit: pipeline.sha,
    build: pipeline.iid,
    id: String(pipeline.id),
    workflow: pipeline.name,
    pullRequest: pipeline.source === 'merge_request_event' || (ref?.startsWith('refs/merge-requests/') ?? false),
    queuedAt: pipeline.created_at,
    pages: {
      ...(web_url && { build: web_url, execution: web_url }),
      ...(project && { application: `${project}/-/pipelines` }),
      ...(project && ref && { release: `${project}/-/pipelines?ref=${encodeURIComponent(ref)}` }),
    },
  };
}

function withDetail(execution: Execution, detail: z.infer<typeof Detail>): Execution {
  const warned = detail.detailed_status?.group === 'success-with-warnings';
  return {
    ...execution,
    ...(warned && { outcome: outcomeOf(outcomes, 'success-with-warnings'), status: 'success-with-warnings' }),
    ...(detail.tag === true && { tag: execution.release }),
    ...(detail.tag === false && { branch: execution.release }),
    startedAt: detail.started_at,
    finishedAt: detail.finished_at,
  };
}
