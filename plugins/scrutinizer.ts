import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf, refOf } from '../lib/builds/index.ts';
import { defineProvider, endpoint, httpUrl, maybe, secret, splitName } from '../lib/providers/index.ts';

const Branch = z.object({ build_status: maybe(z.object({ status: z.string() })) });
/** A repository with its tracked branches by name. https://scrutinizer-ci.com/docs/api/#repository-details */
const Repository = z.object({
  default_branch: maybe(z.string()),
  // PHP writes an empty map as a list.
  applications: z
    .record(z.string(), Branch)
    .or(z.tuple([]).transform((): Record<string, z.infer<typeof Branch>> => ({}))),
});

/** No list is published: these are the words that its API and its badge are known to say. */
export const outcomes: OutcomeTable = {
  pending: 'queued',
  running: 'running',
  passed: 'passed',
  failed: 'failed',
  errored: 'failed', // the configuration is wrong, or the analysis itself broke
  canceled: 'cancelled',
  unknown: 'unknown', // the branch was never inspected
};

/** Scrutinizer CI. */
export default defineProvider({
  id: 'scrutinizer',
  title: 'Scrutinizer',
  docs: 'https://scrutinizer-ci.com/docs/api/',
  words: {
    application: 'host/owner/repository, the host being g, b, gl/instance or gp',
    release: 'tracked branch',
    build: 'newest inspection of a branch',
    execution: 'inspection',
  },
  filters: ['application', 'release', 'branch'],
  notes: [
    'Applications are named as in web addresses: `g/owner/repository` for GitHub, `b/…` for Bitbucket, `gl/instance/owner/repository` for GitLab, `gp/name` for a plain repository.',
    'One request answers for all tracked branches; without a ref the default branch is shown. The answer has neither commit nor number.',
  ],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl().default('https://scrutinizer-ci.com'),
    /** Access token of an account. Public repositories need none. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const name = splitName(query.application, 'g/owner/repository', 4, 2);
    // The API takes its token in the query only.
    const url = endpoint(options.url, ['api', 'repositories', ...name], { access_token: options.token?.reveal() });
    const { default_branch, applications } = await upstream.json(url, Repository);
    const branch = refOf(query) ?? default_branch;
    if (branch === undefined || !Object.hasOwn(applications, branch)) return;
    const build = applications[branch]?.build_status;
    if (build) yield toExecution(options.url, name, branch, build.status);
  },
});

function toExecution(url: string, name: string[], branch: string, status: string): Execution {
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application: name.join('/'),
    branch,
    pages: {
      build: endpoint(url, [...name, 'build-status', branch]).href,
      release: endpoint(url, name, { branch }).href,
      application: endpoint(url, name).href,
    },
  };
}
