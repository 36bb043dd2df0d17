import { z } from 'zod';
import { type BuildQuery, type Execution, matches, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  basic,
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  maybe,
  type ProviderContext,
  pageUrl,
  sameText,
  secret,
  splitName,
} from '../lib/providers/index.ts';

/** https://learn.microsoft.com/en-us/rest/api/azure/devops/build/builds/list */
const Build = z.object({
  id: z.number(),
  buildNumber: z.string(),
  status: z.string(),
  result: maybe(z.string()),
  queueTime: instant,
  startTime: instant,
  finishTime: instant,
  sourceBranch: maybe(z.string()),
  sourceVersion: maybe(z.string()),
  triggerInfo: maybe(z.object({ 'pr.sourceSha': maybe(z.string()) })),
  templateParameters: maybe(z.record(z.string(), z.string())),
  definition: z.object({ id: z.number() }),
  _links: maybe(z.object({ web: maybe(z.object({ href: z.string() })) })),
});
const Builds = z.object({ value: z.array(Build) });
/** Stages and jobs, among others. https://learn.microsoft.com/en-us/rest/api/azure/devops/build/timeline/get */
const Part = z.object({
  id: z.string(),
  parentId: maybe(z.string()),
  type: z.string(),
  name: z.string(),
  state: maybe(z.string()),
  result: maybe(z.string()),
  startTime: instant,
  finishTime: instant,
});
const Timeline = z.object({ records: z.array(Part) });
const Source = z.object({ defaultBranch: maybe(z.string()) });
const Definition = z.object({ id: z.number(), name: z.string(), repository: maybe(Source) });
const Definitions = z.object({ value: z.array(Definition) });
const Delivery = z.object({ eventType: z.string(), resource: z.unknown() });
/** `build.complete` in version 2.0. All other events name neither the project nor the branch. */
const Completed = z.object({
  project: z.object({ name: z.string() }),
  definition: z.object({ name: z.string(), path: z.string() }),
});

/** `result` of what has ended, else `status`; stages and jobs have words of their own. See the two pages above. */
export const outcomes: OutcomeTable = {
  notStarted: 'queued',
  postponed: 'queued',
  pending: 'queued',
  inProgress: 'running',
  cancelling: 'running',
  succeeded: 'passed',
  partiallySucceeded: 'warned',
  succeededWithIssues: 'warned',
  failed: 'failed',
  abandoned: 'failed', // the agent was lost
  canceled: 'cancelled',
  skipped: 'skipped',
  none: 'unknown',
};

const options = z.strictObject({
  /** Root of the organization or collection: `https://dev.azure.com/acme`, `https://HOST/tfs/DefaultCollection`. */
  url: httpUrl(),
  /** Personal access token with Build: read. Public projects need none. */
  token: secret().optional(),
});

/** Azure Pipelines: Azure DevOps Services, and Azure DevOps Server 2020 or later. */
export default defineProvider({
  id: 'azure',
  title: 'Azure Pipelines',
  docs: 'https://learn.microsoft.com/en-us/rest/api/azure/devops/build',
  words: { application: 'project/pipeline', release: 'branch or tag', build: 'build number', execution: 'build' },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'stage', 'job', 'variables'],
  notes: [
    'A pipeline is named `project/pipeline`, `project/folder/pipeline` or `project/definitionId`; the number saves a request. Without a folder it is the first pipeline of that name.',
    'Ref and build number are filtered by the server, commits and `$Name` variables (runtime parameters) among the newest 100 builds. `stage=` and `job=` cost a request for each build looked at.',
    'Azure signs no webhook: give the service hook a Basic password, which is the secret.',
  ],
  options,

  async *executions(query, context) {
    const { stage, job, ...whole } = query;
    const { ask, page, name } = open(query.application, context);
    const id = /^\d+$/.test(name) ? name : (await findDefinition(query.application, context))?.id;
    for (const branchName of id === undefined ? [] : refsOf(query)) {
      const { value } = await ask(Builds, ['build', 'builds'], {
        definitions: id,
        branchName,
        buildNumber: query.build,
        queryOrder: 'queueTimeDescending', // the default order is by an end that a running build has not
        $top: query.commit || query.variables || !(branchName || query.build) ? 100 : 10,
      });
      for (const build of value) {
        const execution = toExecution(query.application, build, page);
        if (stage === undefined && job === undefined) yield execution;
        else if (build.startTime && matches(whole, execution)) {
          const { records } = await ask(Timeline, ['build', 'builds', build.id, 'timeline']);
          yield* toParts(execution, records, job === undefined ? 'Stage' : 'Job');
        }
      }
    }
  },

  async findProject(application, context) {
    const definition = await findDefinition(application, context);
    if (!definition) return undefined;
    const { id, name, repository } = definition;
    return { id: String(id), title: name, defaultBranch: repository?.defaultBranch?.replace('refs/heads/', '') };
  },

  // https://learn.microsoft.com/en-us/azure/devops/service-hooks/events
  webhook: {
    verify: ({ headers }, key) => sameText(passwordOf(headers.authorization), key.reveal()),
    read: (payload) => {
      const { eventType, resource } = Delivery.parse(payload);
      if (!/^build\.complete$|^ms\.vss-pipelines\./.test(eventType)) return undefined;
      const { success, data } = Completed.safeParse(resource);
      if (!success) return {};
      return {
        application: data.project.name + `${data.definition.path}\\${data.definition.name}`.replace(/\\+/g, '/'),
      };
    },
  },
});

function open(application: string, { options: { url, token }, upstream }: ProviderContext<z.output<typeof options>>) {
  const [project = '', ...path] = splitName(application, 'project/pipeline', 20, 2);
  type Query = Parameters<typeof endpoint>[2];
  return {
    name: path.at(-1) ?? '',
    folder: path.slice(0, -1),
    ask: <Schema extends z.ZodType>(schema: Schema, segments: (string | number)[], query: Query = {}) =>
      upstream.json(endpoint(url, [project, '_apis', ...segments], { ...query, 'api-version': '6.0' }), schema, {
        headers: basic(undefined, token),
      }),
    page: (segments: string[], query: Query) => endpoint(url, [project, '_build', ...segments], query).href,
  };
}

/** A name may hold `*` for the server, so what it finds is compared; a folder stands for those below it, too. */
async function findDefinition(application: string, context: ProviderContext<z.output<typeof options>>) {
  const { ask, name, folder } = open(application, context);
  const path = folder.length > 0 ? `\\${folder.join('\\')}` : undefined;
  const byName = /^\d+$/.test(name) ? { definitionIds: name } : { name, path };
  const { value } = await ask(Definitions, ['build', 'definitions'], { ...byName, includeAllProperties: true });
  return value.find((found) => name === String(found.id) || name.toLowerCase() === found.name.toLowerCase());
}

/** The server wants the whole name of a ref; of a ref of unknown kind it is asked twice. */
function refsOf({ branch, tag, release }: BuildQuery): (string | undefined)[] {
  if (branch !== undefined) return [`refs/heads/${branch}`];
  if (tag !== undefined) return [`refs/tags/${tag}`];
  if (release === undefined || release.startsWith('refs/')) return [release];
  return [`refs/heads/${release}`, `refs/tags/${release}`];
}

function toExecution(
  application: string,
  build: z.infer<typeof Build>,
  page: ReturnType<typeof open>['page'],
): Execution {
  const status = wordOf(build.status, build.result);
  const [, kind, ref = build.sourceBranch] = /^refs\/(heads|tags)\/(.*)$/s.exec(build.sourceBranch ?? '') ?? [];
  const definitionId = build.definition.id;
  const address = pageUrl(build._links?.web?.href) ?? page(['results'], { buildId: build.id });
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application,
    release: ref,
    ...(kind === 'heads' && { branch: ref }),
    ...(kind === 'tags' && { tag: ref }),
    commit: build.triggerInfo?.['pr.sourceSha'] ?? build.sourceVersion, // of a pull request that is its merge
    build: build.buildNumber,
    id: String(build.id),
    variables: build.templateParameters,
    pullRequest: build.sourceBranch?.startsWith('refs/pull/') ?? false,
    queuedAt: build.queueTime,
    startedAt: build.startTime,
    finishedAt: build.finishTime,
    pages: {
      build: address,
      execution: address,
      application: page([], { definitionId }),
      release: page(['latest'], { definitionId, branchName: build.sourceBranch }),
    },
  };
}

/** The stages or the jobs of a build in its place. A job lies in a phase, and that in a stage. */
function* toParts(whole: Execution, parts: readonly z.infer<typeof Part>[], type: 'Stage' | 'Job') {
  const stageOf = (part: z.infer<typeof Part> | undefined): string | undefined =>
    !part || part.type === 'Stage' ? part?.name : stageOf(parts.find(({ id }) => id === part.parentId));
  for (const part of parts) {
    if (part.type !== type) continue;
    const status = wordOf(part.state, part.result);
    yield {
      ...whole,
      outcome: outcomeOf(outcomes, status),
      status,
      stage: stageOf(part),
      ...(type === 'Job' && { job: part.name }),
      startedAt: part.startTime,
      finishedAt: part.finishTime,
    };
  }
}

function wordOf(status = 'none', result = 'none'): string {
  return status === 'completed' ? result : status;
}

/** The password of `Authorization: Basic …`. */
function passwordOf(authorization = ''): string {
  return Buffer.from(authorization.replace(/^Basic /i, ''), 'base64')
    .toString()
    .replace(/^[^:]*:?/, '');
}
