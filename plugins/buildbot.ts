import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  basic,
  defineProvider,
  endpoint,
  httpUrl,
  instantOfSeconds,
  maybe,
  type ProviderQuery,
  paged,
  sameText,
  secret,
} from '../lib/providers/index.ts';

/** Every value comes with its source: `["main", "Build"]`. */
const Properties = z
  .record(z.string(), z.tuple([z.unknown()], z.unknown()))
  .nullish()
  .transform((given) => Object.fromEntries(Object.entries(given ?? {}).map(([name, [value]]) => [name, value])));
/** https://docs.buildbot.net/latest/developer/raml/builder.html */
const Builders = z.object({ builders: z.array(z.object({ builderid: z.number() })) });
/** https://docs.buildbot.net/latest/developer/raml/build.html */
const Build = z.object({
  buildid: z.number(),
  builderid: z.number(),
  number: z.number(),
  complete: z.boolean(),
  results: maybe(z.number()),
  properties: Properties,
  started_at: instantOfSeconds,
  complete_at: instantOfSeconds,
});
const Builds = z.object({ builds: z.array(Build) });
/** https://docs.buildbot.net/latest/developer/raml/buildrequest.html */
const Request = z.object({
  buildrequestid: z.number(),
  buildsetid: z.number(),
  builderid: z.number(),
  claimed: z.boolean(),
  complete: z.boolean(),
  properties: Properties,
  submitted_at: instantOfSeconds,
});
const Requests = z.object({ buildrequests: z.array(Request) });
const SourceStamp = z.object({ branch: maybe(z.string()), revision: maybe(z.string()) });
const Buildsets = z.object({ buildsets: z.array(z.object({ sourcestamps: z.array(SourceStamp) })) });
const Delivery = z.object({ builder: maybe(z.object({ name: z.string() })) });

/** https://docs.buildbot.net/latest/developer/results.html: `results` is the place in this list. */
const RESULTS = ['success', 'warnings', 'failure', 'skipped', 'exception', 'retry', 'cancelled'];
export const outcomes: OutcomeTable = {
  unclaimed: 'queued', // our word for a build request that no worker has taken
  incomplete: 'running', // our word for a build that is not complete
  success: 'passed',
  warnings: 'warned',
  failure: 'failed',
  skipped: 'skipped',
  exception: 'failed',
  retry: 'skipped', // its request waits again: that is the newer candidate
  cancelled: 'cancelled',
};

/** Buildbot, from 0.9 on. */
export default defineProvider({
  id: 'buildbot',
  title: 'Buildbot',
  docs: 'https://docs.buildbot.net/latest/developer/rest.html',
  words: {
    application: 'builder name or id',
    release: 'property `branch`',
    build: 'build number of the builder',
    execution: 'build',
  },
  filters: ['application', 'applicationId', 'release', 'branch', 'commit', 'build', 'variables'],
  notes: [
    'Three requests: the builder, its newest builds, and the build requests that wait; each of those costs one more. A builder whose name is no identifier needs Buildbot 4, or its id. Refs, commits and `$Name` variables (properties) are looked for among the newest builds.',
    'Without a ref the builds of all branches count, except those of pull requests; many builders leave `branch` empty for their default branch.',
  ],
  options: z.strictObject({
    /** Root of the server, with its path prefix if it has one. */
    url: httpUrl(),
    /** User name for a proxy in front. Buildbot itself has no way to sign in that would fit. */
    user: z.string().optional(),
    /** Password of the user. */
    password: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const init = { headers: basic(options.user, options.password) };
    const at = (segments: (string | number)[], args = {}) => endpoint(options.url, ['api', 'v2', ...segments], args);
    // The builds of a builder that there is not are an empty list: only the builder itself is a 404.
    const [builder] = (await upstream.json(at(['builders', query.application]), Builders, init)).builders;
    if (!builder) return;
    const id = builder.builderid;
    if (query.build !== undefined) {
      const one = await upstream.json(at(['builders', id, 'builds', query.build], { property: '*' }), Builds, init);
      for (const build of one.builds) yield toExecution(query, options.url, build);
      return;
    }
    const size = (query.release ?? query.branch ?? query.commit ?? query.variables) ? 100 : 10;
    const waiting = { builderid__eq: id, complete__eq: false, claimed__eq: false, order: '-buildrequestid' };
    const requests = at(['buildrequests'], { ...waiting, limit: 10, property: '*' });
    for (const request of (await upstream.json(requests, Requests, init)).buildrequests) {
      if (request.builderid !== id || request.claimed || request.complete) continue; // unknown filters are ignored
      const { buildsets } = await upstream.json(at(['buildsets', request.buildsetid]), Buildsets, init);
      yield toQueued(query, options.url, request, buildsets[0]?.sourcestamps[0]);
    }
    const builds = paged(size, async (page) => {
      const newest = { order: '-number', limit: size, property: '*', offset: page > 1 ? (page - 1) * size : undefined };
      return (await upstream.json(at(['builders', id, 'builds'], newest), Builds, init)).builds;
    });
    for await (const build of builds) yield toExecution(query, options.url, build);
  },

  // https://docs.buildbot.net/latest/manual/configuration/reporters/http_status.html: not signed, with headers to choose
  webhook: {
    verify: ({ headers }, key) => sameText(headers.authorization, `Bearer ${key.reveal()}`),
    read: (payload) => ({ application: Delivery.parse(payload).builder?.name }),
  },
});

function toExecution(query: ProviderQuery, url: string, build: z.infer<typeof Build>): Execution {
  const { number, complete, results, properties } = build;
  const status = complete ? (RESULTS[results ?? -1] ?? `results ${results}`) : 'incomplete';
  const got = properties.got_revision || properties.revision;
  // A build of several repositories has a revision of each.
  const revisions = Object.values(typeof got === 'object' ? { ...got } : { got })
    .filter(Boolean)
    .map(String);
  const common = commonOf(query, url, build, status, properties.branch);
  const page = `${common.pages.application}/builds/${number}`;
  return {
    ...common,
    commit: revisions.find((revision) => revision.startsWith(query.commit ?? '')) ?? revisions[0],
    build: String(number),
    id: String(build.buildid),
    startedAt: build.started_at,
    finishedAt: build.complete_at,
    pages: { ...common.pages, build: page, execution: page },
  };
}

/** A request has no number yet. */
function toQueued(
  query: ProviderQuery,
  url: string,
  request: z.infer<typeof Request>,
  stamp: z.infer<typeof SourceStamp> | undefined,
): Execution {
  const common = commonOf(query, url, request, 'unclaimed', stamp?.branch);
  return {
    ...common,
    commit: stamp?.revision || undefined,
    queuedAt: request.submitted_at,
    pages: { ...common.pages, build: `${url}/#/buildrequests/${request.buildrequestid}` },
  };
}

function commonOf(
  { application }: ProviderQuery,
  url: string,
  { builderid, properties }: Pick<z.infer<typeof Request>, 'builderid' | 'properties'>,
  status: string,
  branch: unknown,
) {
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application,
    applicationId: String(builderid),
    branch: branch ? String(branch) : undefined,
    pullRequest: /^refs\/(pull|merge-requests)\//.test(String(branch)),
    variables: Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, String(value)])),
    pages: { application: `${url}/#/builders/${builderid}` },
  };
}
