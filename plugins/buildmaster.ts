import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  label,
  maybe,
  secret,
  tokenHeader,
} from '../lib/providers/index.ts';

const BuildFields = z.object({
  applicationId: label,
  applicationName: z.string(),
  releaseNumber: z.string(),
  buildNumber: maybe(z.string()),
  status: z.string(),
});
/** https://docs.inedo.com/docs/buildmaster/reference/api/release-and-build */
const Deployment = BuildFields.extend({
  id: z.number(),
  buildId: z.number(),
  pipelineStageName: maybe(z.string()),
  createdOn: instant,
  started: instant,
  ended: instant,
});
const Build = BuildFields.extend({ id: z.number(), number: z.string(), createdOn: instant });
const Variables = z.record(z.string(), z.unknown());

/** The status of a deployment; `active` is a build that was created and never deployed. */
export const outcomes: OutcomeTable = {
  active: 'queued',
  pending: 'queued',
  executing: 'running',
  succeeded: 'passed',
  warned: 'warned',
  failed: 'failed',
};

/** Inedo BuildMaster, through its Release & Build Deployment API. */
export default defineProvider({
  id: 'buildmaster',
  title: 'BuildMaster',
  docs: 'https://docs.inedo.com/docs/buildmaster/reference/api/release-and-build',
  words: { application: 'application', release: 'release number', build: 'build number', execution: 'deployment' },
  filters: ['application', 'applicationId', 'release', 'build', 'stage', 'variables'],
  withoutApplication: true,
  notes: [
    '`$Branch`, `$Tag`, `$GitCommit` and every other `$Name` are build variables here; each costs a request for each build looked at.',
    'The API has no paging: name an application, and a release where its history is long. `stage=` is the pipeline stage.',
  ],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl(),
    /** API key with Release & Build Deployment, and variables where they are filtered by. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const headers = tokenHeader('x-apikey', options.token);
    const filters = {
      applicationId: query.applicationId,
      applicationName: query.applicationId === undefined ? query.application || undefined : undefined,
      releaseNumber: query.release,
      buildNumber: query.build,
    };
    const list = (...more: string[]) => {
      const stage = more.length > 0 ? { pipelineStageName: query.stage } : {};
      return endpoint(options.url, ['api', 'releases', 'builds', ...more], { ...filters, ...stage });
    };
    const [deployments, builds] = await Promise.all([
      upstream.json(list('deployments'), z.array(Deployment), { headers }),
      upstream.json(list(), z.array(Build), { headers }),
    ]);
    const newestDeployed = Math.max(0, ...deployments.map(({ buildId }) => buildId));
    const created = builds.filter(({ id, status }) => id > newestDeployed && status === 'active');
    const candidates = [
      ...created.map((build) => createdExecution(options.url, build)),
      ...deployments.map((deployment) => deploymentExecution(options.url, deployment)),
    ];
    for (const execution of candidates) {
      if (!query.variables) {
        yield execution;
        continue;
      }
      const { application, release = '', build = '' } = execution;
      const url = endpoint(options.url, ['api', 'variables', 'builds', application, release, build]);
      const variables = (await upstream.find(url, Variables, { headers })) ?? {};
      const texts = Object.entries(variables).map(([name, value]) => [name, String(value)]);
      yield { ...execution, variables: Object.fromEntries(texts) };
    }
  },
});

function deploymentExecution(url: string, deployment: z.infer<typeof Deployment>): Execution {
  const { id, status, buildId, createdOn, started, ended, pipelineStageName, buildNumber } = deployment;
  const page = (query: object) => endpoint(url, ['executions', 'execution-details'], { ...query }).href;
  return {
    ...common(url, deployment, buildId),
    outcome: outcomeOf(outcomes, status),
    status,
    build: buildNumber,
    id: String(id),
    stage: pipelineStageName,
    queuedAt: createdOn,
    startedAt: started,
    finishedAt: ended,
    pages: { ...common(url, deployment, buildId).pages, execution: page({ executionId: id }) },
  };
}

function createdExecution(url: string, build: z.infer<typeof Build>): Execution {
  return {
    ...common(url, build, build.id),
    outcome: outcomeOf(outcomes, build.status),
    status: build.status,
    build: build.buildNumber ?? build.number,
    id: String(build.id),
    queuedAt: build.createdOn,
  };
}

/** The page of a release is documented nowhere: its application's is given instead. */
function common(
  url: string,
  { applicationId, applicationName, releaseNumber }: z.infer<typeof BuildFields>,
  buildId: number,
) {
  const application = ['applications', applicationId];
  return {
    application: applicationName,
    applicationId,
    release: releaseNumber,
    pages: {
      build: endpoint(url, [...application, 'builds', 'build'], { buildId }).href,
      application: endpoint(url, [...application, 'overview']).href,
    },
  };
}
