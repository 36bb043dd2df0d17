import { createHash, createHmac } from 'node:crypto';
import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instantOfSeconds,
  maybe,
  paged,
  sameText,
  secret,
  splitName,
} from '../lib/providers/index.ts';

/** https://docs.drone.io/api/builds/build_info/ */
const Build = z.object({
  id: z.number(),
  number: z.number(),
  status: z.string(),
  event: z.string(),
  ref: z.string(),
  after: z.string(),
  params: maybe(z.record(z.string(), z.string())),
  created: instantOfSeconds,
  started: instantOfSeconds,
  finished: instantOfSeconds,
});
const Repository = z.object({ id: z.number(), name: z.string(), default_branch: maybe(z.string()) });
const Delivery = z.object({ repo: z.object({ slug: z.string() }) });

/** https://github.com/harness/drone/blob/drone/core/status.go */
export const outcomes: OutcomeTable = {
  pending: 'queued',
  waiting_on_dependencies: 'queued',
  blocked: 'waiting', // for an approval
  running: 'running',
  started: 'running', // as https://docs.drone.io/webhooks/examples/ has it
  success: 'passed',
  failure: 'failed',
  error: 'failed',
  killed: 'cancelled',
  declined: 'cancelled',
  skipped: 'skipped',
};

/** Drone. Its successor, Harness Open Source, speaks another API. */
export default defineProvider({
  id: 'drone',
  title: 'Drone',
  docs: 'https://docs.drone.io/api/overview/',
  words: { application: 'owner/repository', release: 'branch or tag', build: 'build number', execution: 'build' },
  filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'variables'],
  notes: [
    'The server filters by branch, tag and build number; commits and `$Name` variables (the parameters of a build) are looked for among the newest builds.',
  ],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl(),
    /** Token of a user. Public repositories need none. */
    token: secret().optional(),
  }),

  async *executions(query, { options: { url, token }, upstream }) {
    const { application, build, branch, tag, release } = query;
    const repository = splitName(application, 'owner/repository');
    const builds = ['api', 'repos', ...repository, 'builds'];
    const headers = bearer(token);
    const read = (found: z.infer<typeof Build>) => toExecution(application, endpoint(url, repository).href, found);
    if (build !== undefined) {
      if (/^\d{1,18}$/.test(build))
        yield read(await upstream.json(endpoint(url, [...builds, build]), Build, { headers }));
      return;
    }
    const per_page = query.commit !== undefined || query.variables ? 100 : 10;
    for (const ref of release === undefined ? [{ branch, tag }] : [{ branch: release }, { tag: release }]) {
      const list = (page: number) => endpoint(url, builds, { ...ref, per_page, page });
      const newest = paged(per_page, (page) => upstream.json(list(page), z.array(Build), { headers }));
      for await (const found of newest) yield read(found);
    }
  },

  async findProject(application, { options: { url, token }, upstream }) {
    const repository = endpoint(url, ['api', 'repos', ...splitName(application, 'owner/repository')]);
    const { id, name, default_branch } = await upstream.json(repository, Repository, { headers: bearer(token) });
    return { id: String(id), title: name, defaultBranch: default_branch };
  },

  webhook: {
    /** An HTTP signature (draft-cavage) over date and digest. https://docs.drone.io/webhooks/overview/ */
    verify({ headers, body }, key) {
      const digest = `SHA-256=${createHash('sha256').update(body).digest('base64')}`;
      const own = createHmac('sha256', key.reveal()).update(`date: ${headers.date}\ndigest: ${digest}`);
      return sameText(/\bsignature="([^"]*)"/.exec(headers.signature ?? '')?.[1], own.digest('base64'));
    },
    read: (payload, { headers }) =>
      headers['x-drone-event'] === 'build' ? { application: Delivery.parse(payload).repo.slug } : undefined,
  },
});

function toExecution(application: string, root: string, build: z.infer<typeof Build>): Execution {
  const [, kind, name = build.ref] = /^refs\/(heads|tags)\/(.+)$/.exec(build.ref) ?? [];
  const page = endpoint(root, [build.number]).href;
  return {
    outcome: outcomeOf(outcomes, build.status),
    status: build.status,
    application,
    release: name,
    branch: kind === 'heads' ? name : undefined,
    tag: kind === 'tags' ? name : undefined,
    commit: build.after,
    build: String(build.number),
    id: String(build.id),
    variables: build.params ?? {},
    pullRequest: build.event === 'pull_request',
    queuedAt: build.created,
    startedAt: build.started,
    finishedAt: build.finished,
    pages: { build: page, execution: page, application: root, release: endpoint(root, ['branches']).href },
  };
}
