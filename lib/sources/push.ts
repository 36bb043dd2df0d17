import type { BuildQuery, Outcome, State } from '../builds/index.ts';
import type { Provider, Upstream } from '../providers/index.ts';
import { type Database, findBuilds, KEPT_BUILDS, type ReportedBuild } from '../storage/index.ts';
import { createSource, type Source } from './source.ts';

const OUTCOMES: Readonly<Record<State, Outcome>> = {
  success: 'passed',
  pending: 'queued',
  running: 'running',
  warning: 'warned',
  error: 'failed',
  unknown: 'unknown',
};

/** The source `push`, there by default: builds that CI jobs report themselves. Answers every filter, asks no CI. */
export function createPushSource(database: Database): Source {
  const provider: Provider = {
    id: 'push',
    title: 'Reported builds',
    docs: 'docs/push.md',
    words: { application: 'any name', release: 'any name', build: 'build number', execution: 'last report of a build' },
    options: undefined,
    filters: ['application', 'release', 'branch', 'tag', 'commit', 'build', 'variables'],
    withoutApplication: true,
    async *executions(query) {
      for await (const { id, state, ...build } of findBuilds(database, query)) {
        if (lacks(build, query)) continue;
        yield {
          ...build,
          id: String(id),
          outcome: OUTCOMES[state],
          status: build.status ?? state,
          variables: build.variables ?? {},
          pages: build.pages ?? {},
        };
      }
    },
  };
  return createSource({ name: 'push', provider, options: {}, upstream: NO_UPSTREAM, scanLimit: KEPT_BUILDS });
}

/** A report that tells no ref or commit has none: it is no open question, as it would be of a CI's answer. */
function lacks({ release, branch, tag, commit }: Partial<ReportedBuild>, query: BuildQuery): boolean {
  return (
    (query.release !== undefined && (release ?? branch ?? tag) === undefined) ||
    (query.commit !== undefined && commit === undefined)
  );
}

const askNobody = () => Promise.reject(new Error('the push source asks nobody'));

const NO_UPSTREAM: Upstream = {
  json: askNobody,
  find: askNobody,
  parsed: askNobody,
  text: askNobody,
  close: async () => {},
};
