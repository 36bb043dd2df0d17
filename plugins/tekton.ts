import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  BadRequest,
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  maybe,
  pageUrl,
  sameText,
  secret,
  splitName,
  UpstreamError,
} from '../lib/providers/index.ts';

const Texts = z.record(z.string(), z.string()).default({});
/** https://tekton.dev/docs/pipelines/pipelineruns/ */
const Run = z.object({
  metadata: z.object({ name: z.string(), creationTimestamp: z.coerce.date(), labels: Texts, annotations: Texts }),
  spec: z.object({ params: maybe(z.array(z.object({ name: z.string(), value: z.unknown() }))) }),
  status: maybe(
    z.object({
      conditions: maybe(z.array(z.object({ type: z.string(), status: z.string(), reason: maybe(z.string()) }))),
      startTime: instant,
      completionTime: instant,
    }),
  ),
});
const RunList = z.object({ metadata: z.object({ continue: maybe(z.string()) }), items: z.array(Run) });

/** Status of the condition `Succeeded`; reasons are many, and only some of them say more than it. */
export const outcomes: OutcomeTable = {
  // https://tekton.dev/docs/pipelines/pipelineruns/#monitoring-execution-status
  Unknown: 'running',
  'Unknown Pending': 'queued', // also our word for a run without a condition
  'Unknown Started': 'queued',
  'Unknown ResolvingPipelineRef': 'queued',
  'Unknown PipelineRunPending': 'waiting', // until somebody takes `PipelineRunPending` out of its spec
  True: 'passed',
  False: 'failed',
  'False Cancelled': 'cancelled',
  'False PipelineRunCancelled': 'cancelled',
  'False TaskRunCancelled': 'cancelled',
};

/** What labels and annotations of Pipelines as Code begin with. https://pipelinesascode.com/docs/ */
const PAC = 'pipelinesascode.tekton.dev/';
const MOST_RUNS = 1000;

/** Tekton, through the API of its Kubernetes cluster. */
export default defineProvider({
  id: 'tekton',
  title: 'Tekton',
  docs: 'https://tekton.dev/docs/pipelines/pipelineruns/',
  words: { application: 'namespace/pipeline', release: 'branch or tag', build: 'name of the run', execution: 'run' },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'workflow', 'variables'],
  notes: [
    'Kubernetes lists in no order, so every run of a pipeline is read, 100 to a request and 1000 at most: prune them. `$Name` variables are the parameters of a run.',
    'Ref, commit and `workflow=` are known of runs that Pipelines as Code made; there let `label` be `pipelinesascode.tekton.dev/repository`.',
    'Links lead to a Tekton Dashboard at the `webUrl` of the source, or where Pipelines as Code says. Let the CloudEvents sink be `/hooks/<source>?secret=<secret>`.',
  ],
  options: z.strictObject({
    /** Root of the Kubernetes API, or of a proxy to it. */
    url: httpUrl(),
    /** Token of a service account that may get and list pipelineruns. */
    token: secret().optional(),
    /** The label that names the application. */
    label: z.string().default('tekton.dev/pipeline'),
  }),

  async *executions({ application, build }, { options: { url, token, label }, upstream }) {
    const [namespace = '', name = ''] = splitName(application, 'namespace/pipeline');
    if (!/^[\w.-]{1,63}$/.test(name))
      throw new BadRequest('a pipeline has a name of letters, digits, `.`, `_` and `-`');
    const init = { headers: bearer(token) };
    const runs = ['namespaces', namespace, 'pipelineruns'];
    const labelSelector = `${label}=${name}`;
    const at = (segments: string[], query = {}) =>
      endpoint(url, ['apis', 'tekton.dev', 'v1', ...runs, ...segments], query);
    const dashboard = endpoint(`${url}/#`, runs).href;
    const page = `${dashboard}?${new URLSearchParams({ labelSelector })}`;
    if (build !== undefined) {
      const run = await upstream.json(at([build]), Run, init);
      if (run.metadata.labels[label] === name) yield toExecution(application, dashboard, page, run);
      return;
    }
    const found: z.infer<typeof Run>[] = [];
    let next: string | undefined;
    do {
      const { metadata, items } = await upstream.json(
        at([], { labelSelector, limit: 100, continue: next }),
        RunList,
        init,
      );
      found.push(...items);
      next = metadata.continue || undefined;
    } while (next && found.length < MOST_RUNS);
    if (next) throw new UpstreamError(`${application} keeps more than ${MOST_RUNS} runs: any may be the newest`);
    found.sort((a, b) => b.metadata.creationTimestamp.getTime() - a.metadata.creationTimestamp.getTime());
    for (const run of found) yield toExecution(application, dashboard, page, run);
  },

  webhook: {
    // https://tekton.dev/docs/pipelines/events/: unsigned, and the label that names the application is an option.
    verify: ({ query }, key) => sameText(query.secret, key.reveal()),
    read: (_payload, { headers }) => (headers['ce-type']?.startsWith('dev.tekton.event.pipelinerun.') ? {} : undefined),
  },
});

function toExecution(application: string, dashboard: string, page: string, run: z.infer<typeof Run>): Execution {
  const { name, labels, annotations, creationTimestamp } = run.metadata;
  const condition = run.status?.conditions?.find(({ type }) => type === 'Succeeded');
  const { status, reason = status } = condition ?? { status: 'Unknown', reason: 'Pending' };
  const word = Object.hasOwn(outcomes, `${status} ${reason}`) ? `${status} ${reason}` : status;
  const ref = annotations[`${PAC}source-branch`]; // of a push `refs/heads/…` or `refs/tags/…`, of a pull request bare
  const tag = /^refs\/tags\/(.+)$/.exec(ref ?? '')?.[1];
  const build = endpoint(dashboard, [name]).href;
  return {
    outcome: outcomeOf(outcomes, word),
    status: reason,
    application,
    branch: tag ? undefined : ref?.replace(/^refs\/heads\//, ''),
    tag,
    commit: annotations[`${PAC}sha`],
    build: name,
    workflow: labels[`${PAC}original-prname`] ?? labels['tekton.dev/pipeline'],
    variables: Object.fromEntries(run.spec.params?.map((param) => [param.name, String(param.value)]) ?? []),
    // A push that belongs to a pull request has its number too.
    pullRequest: labels[`${PAC}pull-request`] !== undefined && !/push/i.test(labels[`${PAC}event-type`] ?? ''),
    queuedAt: creationTimestamp,
    startedAt: run.status?.startTime,
    finishedAt: run.status?.completionTime,
    pages: { build: pageUrl(annotations[`${PAC}log-url`]) ?? build, execution: build, application: page },
  };
}
