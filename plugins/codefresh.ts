import { z } from 'zod';
import { type Execution, fullCommitOf, type OutcomeTable, outcomeOf, refOf } from '../lib/builds/index.ts';
import {
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  maybe,
  paged,
  secret,
  tokenHeader,
} from '../lib/providers/index.ts';

/** What https://github.com/codefresh-io/cli reads (`lib/logic/entities/Workflow.js`): no answer is documented. */
const Build = z.object({
  id: z.string(),
  status: z.string(),
  pipelineName: z.string(),
  serviceId: maybe(z.string()),
  branchName: maybe(z.string()),
  revision: maybe(z.string()),
  created: instant,
  started: instant,
  finished: instant,
});
const Builds = z.object({ workflows: z.object({ docs: z.array(Build) }) });
const Pipelines = z.object({ docs: z.array(z.object({ metadata: z.object({ id: z.string(), name: z.string() }) })) });

/** https://codefresh.io/docs/docs/pipelines/monitoring-pipelines/ and the choices of `codefresh get builds --status` */
export const outcomes: OutcomeTable = {
  pending: 'queued',
  elected: 'queued',
  delayed: 'queued',
  'pending-approval': 'waiting',
  running: 'running',
  terminating: 'running',
  success: 'passed',
  error: 'failed',
  denied: 'failed',
  terminated: 'cancelled',
};

/** Codefresh pipelines, hosted and on premises. */
export default defineProvider({
  id: 'codefresh',
  title: 'Codefresh',
  docs: 'https://g.codefresh.io/api/',
  words: { application: 'project/pipeline', release: 'branch or tag', build: 'build id', execution: 'build' },
  filters: ['application', 'applicationId', 'release', 'branch', 'tag', 'commit', 'build'],
  notes: [
    'There are no build numbers: `$BuildNumber` is the id of a build. A ref and a full SHA are filtered by the server, a short SHA by looking through the newest builds; a tag is asked for as if it were a branch.',
    'A name costs a request to find the id of the pipeline: `$ApplicationId` saves it. There are no webhooks: let a step of the pipeline report to `POST /api/builds` instead.',
  ],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl().default('https://g.codefresh.io'),
    /** API key with the scopes Build: read and Pipeline: read. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const { application, applicationId, build } = query;
    const headers = tokenHeader('authorization', options.token);
    const at = (segments: string[], parameters = {}) => endpoint(options.url, ['api', ...segments], parameters);
    if (build !== undefined) {
      const url = at(['builds', build], { noAccount: false });
      return yield toExecution(options.url, await upstream.json(url, Build, { headers }));
    }
    let pipeline: string | undefined = applicationId;
    if (pipeline === undefined) {
      const { docs } = await upstream.json(at(['pipelines'], { id: application }), Pipelines, { headers });
      pipeline = docs.find(({ metadata }) => metadata.name.toLowerCase() === application.toLowerCase())?.metadata.id;
      if (pipeline === undefined) return;
    }
    const revision = fullCommitOf(query);
    const limit = query.commit === revision ? 10 : 100;
    const builds = paged(limit, async (page) => {
      const url = at(['workflow'], { pipeline, branchName: refOf(query), revision, limit, page });
      return (await upstream.json(url, Builds, { headers })).workflows.docs;
    });
    for await (const item of builds) yield toExecution(options.url, item);
  },
});

function toExecution(url: string, build: z.infer<typeof Build>): Execution {
  const page = endpoint(url, ['build', build.id]).href;
  const pipeline = { id: build.serviceId, pipeline: build.pipelineName.split('/').at(-1) };
  return {
    outcome: outcomeOf(outcomes, build.status),
    status: build.status,
    application: build.pipelineName,
    applicationId: build.serviceId,
    release: build.branchName,
    commit: build.revision,
    build: build.id,
    id: build.id,
    queuedAt: build.created,
    startedAt: build.started,
    finishedAt: build.finished,
    pages: {
      build: page,
      execution: page,
      ...(build.serviceId && { application: endpoint(url, ['pipelines', 'edit', 'workflow'], pipeline).href }),
    },
  };
}
