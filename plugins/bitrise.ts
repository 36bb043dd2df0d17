import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  label,
  maybe,
  sameText,
  secret,
  tokenHeader,
} from '../lib/providers/index.ts';

/** A build; each workflow of a pipeline is one. https://api-docs.bitrise.io/ */
const Build = z.object({
  slug: z.string(),
  build_number: label,
  status_text: z.string(),
  is_on_hold: maybe(z.boolean()),
  branch: maybe(z.string()),
  tag: maybe(z.string()),
  commit_hash: maybe(z.string()),
  triggered_workflow: maybe(z.string()),
  pull_request_id: maybe(z.number()),
  triggered_at: instant,
  started_on_worker_at: instant,
  finished_at: instant,
});
const BuildPage = z.object({ data: z.array(Build), paging: z.object({ next: maybe(z.string()) }) });
const Delivery = z.object({ app_slug: z.string() });

/** `status_text`. https://docs.bitrise.io/en/bitrise-ci/api/managing-an-apps-builds.html */
export const outcomes: OutcomeTable = {
  'on-hold': 'queued',
  'in-progress': 'running',
  success: 'passed',
  error: 'failed',
  aborted: 'cancelled',
  'aborted-with-success': 'warned', // whoever aborted it said that it counts as good
};

/** Bitrise. */
export default defineProvider({
  id: 'bitrise',
  title: 'Bitrise',
  docs: 'https://api-docs.bitrise.io/',
  words: { application: 'app slug', release: 'branch or tag', build: 'build number', execution: 'build' },
  filters: ['application', 'applicationId', 'release', 'branch', 'tag', 'commit', 'build', 'workflow'],
  notes: [
    'The slug is in the address of the app: titles are not unique. Name a `workflow=` where a commit or a pipeline runs several.',
    'The server filters by branch, workflow and number; other filters look through the builds of the last 200 days. Webhooks are not signed: give them the header `Authorization: Bearer SECRET`.',
  ],
  options: z.strictObject({
    /** Root of the API, without `/v0.1`. */
    url: httpUrl().default('https://api.bitrise.io'),
    /** Personal or workspace access token. */
    token: secret(),
  }),

  async *executions({ application, release, branch, tag, commit, workflow, build }, { options, upstream }) {
    const limit = (release ?? tag ?? commit) === undefined ? 10 : 50;
    let next: string | undefined; // the slug of the build that the next page starts with
    do {
      const filters = { branch, workflow, build_number: build, limit, next };
      const url = endpoint(options.url, ['v0.1', 'apps', application, 'builds'], filters);
      const page = await upstream.json(url, BuildPage, { headers: tokenHeader('authorization', options.token) });
      for (const item of page.data) yield toExecution(application, item);
      next = page.paging.next;
    } while (next !== undefined);
  },

  webhook: {
    verify: ({ headers }, key) => sameText(headers.authorization, `Bearer ${key.reveal()}`),
    read: (payload, { headers }) =>
      /^build\//.test(headers['bitrise-event-type'] ?? '')
        ? { application: Delivery.parse(payload).app_slug }
        : undefined,
  },
});

function toExecution(application: string, build: z.infer<typeof Build>): Execution {
  const waits = build.is_on_hold || (build.status_text === 'in-progress' && !build.started_on_worker_at);
  const status = waits ? 'on-hold' : build.status_text;
  const page = (...segments: string[]) => endpoint('https://app.bitrise.io', segments).href;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application,
    applicationId: application,
    branch: build.branch,
    tag: build.tag,
    commit: build.commit_hash,
    build: build.build_number,
    id: build.slug,
    workflow: build.triggered_workflow,
    pullRequest: (build.pull_request_id ?? 0) > 0,
    queuedAt: build.triggered_at,
    startedAt: build.started_on_worker_at,
    finishedAt: build.finished_at,
    pages: { build: page('build', build.slug), application: page('app', application) },
  };
}
