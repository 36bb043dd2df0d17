import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf, refOf } from '../lib/builds/index.ts';
import {
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  maybe,
  paged,
  sameText,
  secret,
  splitName,
  tokenHeader,
} from '../lib/providers/index.ts';

const Named = maybe(z.object({ name: z.string() }));
/** https://developer.travis-ci.com/resource/build ; the fields of a job are there because we ask to include them. */
const Build = z.object({
  id: z.number(),
  number: z.string(),
  state: z.string(),
  event_type: z.string(),
  started_at: instant,
  finished_at: instant,
  branch: Named,
  tag: Named,
  commit: maybe(z.object({ sha: z.string() })),
  jobs: maybe(z.array(z.object({ state: maybe(z.string()), allow_failure: maybe(z.boolean()) }))),
});
const Builds = z.object({ builds: z.array(Build) });
const NumberedBuilds = z.object({ builds: z.array(z.object({ id: z.number() })) });
const Repository = z.object({ id: z.number(), name: z.string(), default_branch: Named });
const Delivery = z.object({ repository: z.object({ owner_name: z.string(), name: z.string() }) });

/** https://developer.travis-ci.com/resource/build */
export const outcomes: OutcomeTable = {
  created: 'queued',
  queued: 'queued',
  received: 'queued',
  configured: 'queued',
  started: 'running',
  passed: 'passed',
  allowed_failure: 'warned', // our word for passed with a failed job under `allow_failures`
  failed: 'failed',
  errored: 'failed', // the set-up failed
  canceled: 'cancelled',
};
const V3 = { 'travis-api-version': '3' };
const INCLUDE = 'job.state,job.allow_failure';

/** Travis CI, travis-ci.com and Enterprise, through API v3. */
export default defineProvider({
  id: 'travis',
  title: 'Travis CI',
  docs: 'https://developer.travis-ci.com/',
  words: { application: 'owner/repository', release: 'branch or tag', build: 'build number', execution: 'build' },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build'],
  notes: [
    'A ref is filtered by the server; a commit is looked for among the newest 100 builds. A number costs two requests.',
    'A restarted build keeps its number and its page. Webhooks: add `?secret=` to their address, and encrypt it in `.travis.yml`.',
  ],
  options: z.strictObject({
    /** Root of the API; `https://HOST/api` for Enterprise. */
    url: httpUrl().default('https://api.travis-ci.com'),
    /** API token. Public repositories need none. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const name = splitName(query.application, 'owner/repository');
    const authorization = tokenHeader('authorization', options.token, 'token ');
    const headers = { ...V3, ...authorization };
    if (query.build !== undefined) {
      // Only the older API knows numbers. https://docs.travis-ci.com/api/
      const url = endpoint(options.url, ['repos', ...name, 'builds'], { number: query.build });
      const v2 = { accept: 'application/vnd.travis-ci.2.1+json', ...authorization };
      for (const { id } of (await upstream.json(url, NumberedBuilds, { headers: v2 })).builds) {
        const build = await upstream.json(endpoint(options.url, ['build', id], { include: INCLUDE }), Build, {
          headers,
        });
        yield toExecution(query.application, build);
      }
      return;
    }
    const size = query.commit === undefined ? 10 : 100;
    const builds = paged(size, async (page) => {
      const url = endpoint(options.url, ['repo', name.join('/'), 'builds'], {
        'branch.name': refOf(query), // of a tag's build: the tag
        'build.event_type': query.commit === undefined ? 'push,api,cron' : undefined,
        include: INCLUDE,
        limit: size,
        offset: page > 1 ? (page - 1) * size : undefined,
      });
      return (await upstream.json(url, Builds, { headers })).builds;
    });
    for await (const build of builds) yield toExecution(query.application, build);
  },

  async findProject(application, { options, upstream }) {
    const url = endpoint(options.url, ['repo', splitName(application, 'owner/repository').join('/')]);
    const headers = { ...V3, ...tokenHeader('authorization', options.token, 'token ') };
    const { id, name, default_branch } = await upstream.json(url, Repository, { headers });
    return { id: String(id), title: name, defaultBranch: default_branch?.name };
  },

  // https://docs.travis-ci.com/user/notifications/#configuring-webhook-notifications
  // Signed with a key of Travis, not with ours: it tells who sent it, not for whom.
  webhook: {
    verify: ({ query }, key) => sameText(query.secret, key.reveal()),
    read: (payload) => {
      const { owner_name, name } = Delivery.parse(payload).repository;
      return { application: `${owner_name}/${name}` };
    },
  },
});

function toExecution(application: string, build: z.infer<typeof Build>): Execution {
  const excused = build.jobs?.some(
    ({ state, allow_failure }) => allow_failure && outcomeOf(outcomes, state) === 'failed',
  );
  const status = build.state === 'passed' && excused ? 'allowed_failure' : build.state;
  const project = endpoint('https://app.travis-ci.com/github', application.split('/')).href;
  const page = `${project}/builds/${build.id}`;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application,
    ...(build.tag ? { tag: build.tag.name } : { branch: build.branch?.name }),
    commit: build.commit?.sha,
    build: build.number,
    id: String(build.id),
    pullRequest: build.event_type === 'pull_request',
    startedAt: build.started_at,
    finishedAt: build.finished_at,
    pages: { build: page, execution: page, application: project, release: `${project}/branches` },
  };
}
