import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import { defineProvider, endpoint, httpUrl, type ProviderQuery, splitName } from '../lib/providers/index.ts';

/** The version that was found, and whether it has documentation. */
const Status = z.object({ version: z.string(), doc_status: z.boolean() });

/** docs.rs answers yes or no; these are the words of its build lists. */
export const outcomes: OutcomeTable = { success: 'passed', failure: 'failed' };

/** docs.rs: the documentation builds of Rust crates. */
export default defineProvider({
  id: 'docsrs',
  title: 'docs.rs',
  // The source of the answer: it is documented nowhere else.
  docs: 'https://github.com/rust-lang/docs.rs/blob/main/crates/bin/docs_rs_web/src/handlers/build_status.rs',
  words: {
    application: 'crate',
    release: 'version requirement, such as `1` or `latest`',
    build: 'version',
    execution: 'documentation build',
  },
  filters: ['application', 'release', 'build'],
  notes: [
    '`$ReleaseNumber` is a version requirement as in `Cargo.toml`: the newest version that fits is shown. `$BuildNumber` is exactly one version.',
    'docs.rs says only whether there is documentation: a crate without a library, and a version asked for by number while it is first built, show as failed.',
  ],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl().default('https://docs.rs'),
  }),

  async *executions(query, { options, upstream }) {
    const [name = ''] = splitName(query.application, 'crate');
    const url = endpoint(options.url, ['crate', name, query.release ?? query.build ?? 'latest', 'status.json']);
    yield toExecution(options.url, query, await upstream.json(url, Status));
  },
});

function toExecution(
  url: string,
  { application, release }: ProviderQuery,
  { version, doc_status }: z.infer<typeof Status>,
): Execution {
  const page = (...segments: string[]) => endpoint(url, ['crate', application, ...segments]).href;
  const status = doc_status ? 'success' : 'failure';
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application,
    // The server chose the version by the requirement; a number that it does not have is a requirement to it too.
    release: release ?? version,
    build: version,
    pages: { build: page(version, 'builds'), release: page(version), application: page('latest') },
  };
}
