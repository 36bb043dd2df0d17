import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  maybe,
  sameText,
  secret,
  splitName,
} from '../lib/providers/index.ts';

/** https://man.sr.ht/builds.sr.ht/graphql.md */
const Job = z.object({
  id: z.number(),
  created: instant,
  updated: instant,
  status: z.string(),
  note: maybe(z.string()),
  tags: z.array(z.string()),
  owner: z.object({ canonicalName: z.string() }),
});
const Page = z.object({ results: z.array(Job), cursor: maybe(z.string()) });
const OneJob = z.object({ data: z.object({ job: maybe(Job) }) });
const JobsOfUser = z.object({ data: z.object({ userByName: maybe(z.object({ jobs: Page })) }) });
/** What a manifest's `action: webhook` sends; the GraphQL webhooks send what their subscriber chose. */
const Delivery = z.object({ owner: z.object({ canonical_name: z.string() }), note: maybe(z.string()) });

const FIELDS = 'id created updated status note tags owner { canonicalName }';
export const ONE_JOB = `query ($id: Int!) { job(id: $id) { ${FIELDS} } }`;
export const JOBS_OF_USER = `query ($user: String!, $cursor: Cursor) { userByName(username: $user) { jobs(cursor: $cursor) { results { ${FIELDS} } cursor } } }`;

/** `enum JobStatus` of the schema. */
export const outcomes: OutcomeTable = {
  PENDING: 'waiting', // for its owner to start it
  QUEUED: 'queued',
  RUNNING: 'running',
  SUCCESS: 'passed',
  FAILED: 'failed',
  TIMEOUT: 'failed',
  CANCELLED: 'cancelled',
};

/** SourceHut builds. */
export default defineProvider({
  id: 'sourcehut',
  title: 'SourceHut builds',
  docs: 'https://man.sr.ht/builds.sr.ht/graphql.md',
  words: {
    application: '~user/repository, or ~user/tag/tag',
    release: 'git branch',
    build: 'job number',
    execution: 'job',
  },
  filters: ['application', 'release', 'branch', 'commit', 'build', 'workflow'],
  notes: [
    'Jobs belong to the user who pushed. The server filters by user and number only; the rest is looked for among the newest jobs, 25 to a request.',
    'Repository, branch and manifest (`workflow=alpine.yml`) are read from the tags that git.sr.ht gives a job, the commit from its note. A tag that was pushed is not told.',
    'Webhooks are signed with a key that all users share, so add `?secret=…` to the address that they post to.',
  ],
  options: z.strictObject({
    url: httpUrl().default('https://builds.sr.ht'),
    /** Personal access token with the grants `builds.sr.ht/JOBS:RO` and `builds.sr.ht/PROFILE:RO`; needed always. */
    token: secret(),
  }),

  async *executions(query, { options, upstream }) {
    const [name = '', ...tags] = splitName(query.application, '~user/repository', 10, 2);
    const user = name.replace(/^~/, '');
    const asked = [`~${user}`, ...tags];
    const ask = <Schema extends z.ZodType>(schema: Schema, text: string, variables: object) =>
      upstream.json(endpoint(options.url, ['query']), schema, {
        method: 'POST',
        headers: bearer(options.token),
        body: { query: text, variables },
      });
    const page = (...segments: string[]) => endpoint(options.url, segments).href;
    if (query.build !== undefined) {
      if (!/^\d{1,9}$/.test(query.build)) return;
      const { data } = await ask(OneJob, ONE_JOB, { id: Number(query.build) });
      if (data.job) yield toExecution(query.application, asked, data.job, page);
      return;
    }
    let cursor: string | undefined;
    do {
      const { data } = await ask(JobsOfUser, JOBS_OF_USER, { user, cursor });
      for (const job of data.userByName?.jobs.results ?? []) yield toExecution(query.application, asked, job, page);
      cursor = data.userByName?.jobs.cursor;
    } while (cursor !== undefined);
  },

  webhook: {
    verify: ({ query }, key) => sameText(query.secret, key.reveal()),
    read: (payload) => {
      const { data } = Delivery.safeParse(payload);
      const [, repository] = /\/~[^/]+\/([^/]+)\/commit\//.exec(data?.note ?? '') ?? [];
      return data && repository ? { application: `${data.owner.canonical_name}/${repository}` } : {};
    },
  },
});

/**
 * git.sr.ht tags a job `repository/commits/branch/manifest.yml`, where a branch may have slashes and a tag has no branch;
 * hub.sr.ht tags a patch `repository/patches/manifest`. https://git.sr.ht/~sircmpwn/git.sr.ht/tree/master/item/update-hook/submitter.go
 */
function toExecution(
  application: string,
  asked: readonly string[],
  job: z.infer<typeof Job>,
  page: (...segments: string[]) => string,
): Execution {
  const { id, status, created, updated, note, tags, owner } = job;
  const path = [owner.canonicalName, ...tags];
  const [user = '', repository = '', origin, ...rest] = path;
  const manifest = /\.ya?ml$/.test(rest.at(-1) ?? '') ? rest.at(-1) : undefined;
  const branch = origin === 'commits' ? rest.slice(0, manifest ? -1 : undefined).join('/') : '';
  const build = page(user, 'job', String(id));
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application: asked.every((part, index) => part === path[index]) ? application : path.join('/'),
    ...(branch && { branch }),
    commit: /\/commit\/([0-9a-f]{7,64})\b/.exec(note ?? '')?.[1],
    build: String(id),
    id: String(id),
    workflow: manifest,
    pullRequest: origin === 'patches',
    queuedAt: created,
    finishedAt: ['QUEUED', 'PENDING', 'RUNNING'].includes(status) ? undefined : updated,
    pages: {
      build,
      execution: build,
      application: page(...asked),
      ...(branch && { release: page(user, repository, 'commits', ...branch.split('/')) }),
    },
  };
}
