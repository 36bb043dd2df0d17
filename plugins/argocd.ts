import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf, refOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  maybe,
  type ProviderQuery,
  sameText,
  secret,
  splitName,
} from '../lib/providers/index.ts';

const text = maybe(z.string());
/** What was or is to be deployed; the fields in the plural are those of an application with several sources. */
const Revisions = z.object({ revision: text, revisions: maybe(z.array(z.string())) });
const Source = z.object({ targetRevision: text });
const Target = Revisions.extend({ source: maybe(Source), sources: maybe(z.array(Source)) });
const Sync = Target.extend({ id: z.number().optional(), deployStartedAt: instant, deployedAt: instant });
const Metadata = z.object({ name: z.string(), namespace: text, labels: maybe(z.record(z.string(), z.string())) });
/** https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/ and `/swagger-ui` of a server */
const Application = z.object({
  metadata: Metadata,
  spec: Target,
  operation: maybe(z.object({})),
  status: z.object({
    sync: Revisions.extend({ status: text }),
    health: z.object({ status: text }),
    history: maybe(z.array(Sync)),
    operationState: maybe(
      z.object({ phase: z.string(), startedAt: instant, finishedAt: instant, syncResult: maybe(Revisions) }),
    ),
    conditions: maybe(z.array(z.object({ type: z.string() }))),
  }),
});

/** Words of operations, conditions, health and comparison. https://argo-cd.readthedocs.io/en/stable/operator-manual/health/ */
export const outcomes: OutcomeTable = {
  Requested: 'queued', // our word for an `operation` that has no state yet
  'Never synced': 'queued', // our word for an application without an operation and without health
  Running: 'running',
  Terminating: 'running',
  Succeeded: 'passed',
  Failed: 'failed',
  Error: 'failed',
  ComparisonError: 'failed',
  InvalidSpecError: 'failed',
  SyncError: 'failed',
  Progressing: 'running',
  Suspended: 'waiting',
  Degraded: 'failed',
  Missing: 'failed',
  Synced: 'passed',
  OutOfSync: 'warned',
};

/** Argo CD: the state of an application, then the syncs that led to it. */
export default defineProvider({
  id: 'argocd',
  title: 'Argo CD',
  docs: 'https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/',
  words: { application: '[namespace/]application', release: 'target revision', build: 'history id', execution: 'sync' },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'variables'],
  notes: [
    'One request. Operation, health and comparison make one state, and the worst of them decides; before it in the history are only syncs that succeeded. `$Name` variables are labels.',
    'For webhooks let a notification template send `{{toJson .app}}` with the header `Authorization: Bearer <secret>`.',
  ],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl(),
    /** Token of an account or project role that may get applications. */
    token: secret().optional(),
  }),

  async *executions(query, { options: { url, token }, upstream }) {
    const [name = '', appNamespace] = splitName(query.application, 'namespace/application', 2, 1).reverse();
    const address = endpoint(url, ['api', 'v1', 'applications', name], { appNamespace });
    const found = await upstream.json(address, Application, { headers: bearer(token) });
    const { sync, history = [], operationState } = found.status;
    const newest = history.at(-1);
    const isNewest = !found.operation && (all(sync) === '' || all(sync) === all(newest));
    const read = (one: z.infer<typeof Sync>, word: string) => toExecution(query, url, found.metadata, one, word);
    yield read(
      {
        ...found.spec,
        ...(all(sync) === '' ? newest : sync),
        id: isNewest ? newest?.id : undefined,
        deployStartedAt: operationState?.startedAt,
        deployedAt: operationState?.finishedAt,
      },
      wordOf(found),
    );
    for (const one of (isNewest ? history.slice(0, -1) : history).toReversed()) yield read(one, 'Succeeded');
  },

  webhook: {
    verify: ({ headers }, key) => sameText(headers.authorization, `Bearer ${key.reveal()}`),
    /** An application outside Argo CD's own namespace may be asked for with its namespace or, where that is its own, without. */
    read(payload) {
      const { name, namespace } = z.object({ metadata: Metadata }).parse(payload).metadata;
      return namespace === 'argocd' ? { application: name } : {};
    },
  },
});

/** The word that decides. A failed operation is kept until the next one, but counts only for the revision it was of. */
function wordOf({
  operation,
  status: { operationState, conditions, health, sync },
}: z.infer<typeof Application>): string {
  const { phase, syncResult } = operationState ?? {};
  if (phase === 'Running' || phase === 'Terminating') return phase;
  if (operation) return 'Requested';
  if (phase && phase !== 'Succeeded' && (!syncResult || all(syncResult) === all(sync))) return phase;
  const condition = conditions?.find(({ type }) => Object.hasOwn(outcomes, type));
  if (condition) return condition.type;
  if (!phase && (!health.status || health.status === 'Missing')) return 'Never synced';
  return (health.status === 'Healthy' ? sync.status : health.status) ?? '';
}

/** The revisions of all sources, as one text to compare; `''` for none. */
function all(of: z.infer<typeof Revisions> | undefined): string {
  return String(of?.revisions ?? of?.revision ?? '');
}

/** Of several sources the one that is asked for counts, else the first. */
function toExecution(
  query: ProviderQuery,
  url: string,
  { namespace, name, labels = {} }: z.infer<typeof Metadata>,
  { id, revision, revisions = [], source, sources = [], deployStartedAt, deployedAt }: z.infer<typeof Sync>,
  status: string,
): Execution {
  const targets = [source, ...sources].flatMap((one) => one?.targetRevision || []);
  const commits = [revision, ...revisions].flatMap((one) => one || []);
  const page = endpoint(url, ['applications', ...(namespace ? [namespace] : []), name]).href;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application: query.application,
    release: targets.find((target) => target === refOf(query)) ?? targets[0],
    commit: commits.find((commit) => commit.startsWith(query.commit ?? '')) ?? commits[0],
    build: id?.toString(),
    variables: labels,
    startedAt: deployStartedAt,
    finishedAt: deployedAt,
    pages: { build: page, application: page, execution: `${page}?operation=true` },
  };
}
