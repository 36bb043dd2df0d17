import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from './config/index.ts';

/** Words that mean something else where an id is written: a command, a file, the source of reported builds. */
const TAKEN = ['new', 'index', 'push'];

/**
 * Writes the four places of a new provider into a clone of Signalbox; the files, with paths from `root`.
 * @throws ConfigError for an id that cannot be one or is taken, and where `root` is no such clone
 */
export function scaffoldProvider(root: string, id: string): readonly string[] {
  if (!/^[a-z][a-z0-9-]*$/.test(id)) {
    throw new ConfigError(`\`${id}\` cannot be a provider's id: lower-case letters, digits and dashes were wanted`);
  }
  const index = join(root, 'plugins', 'index.ts');
  if (!existsSync(index)) {
    throw new ConfigError(
      'there is no plugins/index.ts here: run this at the root of a clone of Signalbox; a provider of your own needs no clone, see docs/adding-a-provider.md',
    );
  }
  const list = readFileSync(index, 'utf8');
  const files = filesOf(id);
  const there = Object.keys(files).find((file) => existsSync(join(root, file)));
  if (TAKEN.includes(id) || idsOf(list).includes(id) || there) {
    throw new ConfigError(`\`${id}\` is taken${there ? `: there is ${there}` : ''}`);
  }
  const longer = withProvider(list, id);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  writeFileSync(index, longer);
  return [...Object.keys(files), 'plugins/index.ts'];
}

const ENTRY = /^ {2}'?([a-z][a-z0-9-]*)'?: \(\) => import\(/;

function idsOf(list: string): readonly string[] {
  return list.split('\n').flatMap((line) => ENTRY.exec(line)?.[1] ?? []);
}

/** The list with one line more, before the first id that comes after it in the alphabet. */
function withProvider(list: string, id: string): string {
  const lines = list.split('\n');
  const later = lines.findIndex((line) => (ENTRY.exec(line)?.[1] ?? '') > id);
  const at = later === -1 ? lines.indexOf('};') : later;
  if (at === -1) throw new ConfigError('plugins/index.ts has no list of providers that ends with `};`');
  const name = id.includes('-') ? `'${id}'` : id;
  return lines.toSpliced(at, 0, `  ${name}: () => import('./${id}.ts'),`).join('\n');
}

function filesOf(id: string): Readonly<Record<string, string>> {
  return {
    [`plugins/${id}.ts`]: pluginOf(id),
    [`fixtures/${id}/case.ts`]: caseOf(id),
    [`fixtures/${id}/SOURCES.md`]: sourcesOf(id),
    [`test/plugins/${id}.test.ts`]: testOf(id),
  };
}

function titleOf(id: string): string {
  return id
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');
}

const pluginOf = (id: string) => `import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf, refOf } from '../lib/builds/index.ts';
import { bearer, defineProvider, endpoint, httpUrl, instant, label, maybe, secret } from '../lib/providers/index.ts';

/** What is read of a build: only these fields, whatever else the answer has. */
const Build = z.object({
  number: label,
  status: z.string(),
  branch: maybe(z.string()),
  commit: maybe(z.string()),
  web_url: z.url(),
  started_at: instant,
  finished_at: instant,
});
const Builds = z.object({ builds: z.array(Build) });

/** Every word that the API has for a status. One that is not here is shown as unknown. */
export const outcomes: OutcomeTable = {
  queued: 'queued',
  running: 'running',
  success: 'passed',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** ${titleOf(id)}. */
export default defineProvider({
  id: '${id}',
  title: '${titleOf(id)}',
  docs: 'https://${id}.example/docs/api',
  words: { application: 'project', release: 'branch', build: 'build number', execution: 'build' },
  filters: ['application', 'release', 'branch', 'commit', 'build'],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl(),
    /** Token that may read builds. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const url = endpoint(options.url, ['api', 'projects', query.application, 'builds'], { branch: refOf(query) });
    const { builds } = await upstream.json(url, Builds, { headers: bearer(options.token) });
    for (const build of builds) yield toExecution(query.application, build);
  },
});

function toExecution(application: string, build: z.infer<typeof Build>): Execution {
  return {
    outcome: outcomeOf(outcomes, build.status),
    status: build.status,
    application,
    branch: build.branch,
    commit: build.commit,
    build: build.number,
    startedAt: build.started_at,
    finishedAt: build.finished_at,
    pages: { build: build.web_url },
  };
}
`;

const caseOf = (id: string) => `import type { ProviderCase } from '../../lib/providers/testing.ts';
import provider from '../../plugins/${id}.ts';

export const subject: ProviderCase = {
  provider,
  options: { url: 'https://ci.test', token: 's3cret' },
  query: { application: 'shop', branch: 'main' },
  request: {
    path: '/api/projects/shop/builds?branch=main',
    headers: { authorization: 'Bearer s3cret' },
  },
  /**
   * A recorded answer for every state, by its file's name: 'success.json': [{ outcome: 'passed', build: '41' }]. The
   * first one answers the request above.
   */
  executions: {},
};
`;

const sourcesOf = (id: string) => `# Sources: ${titleOf(id)}

Recorded answers that the tests and the demo use. Personal names and addresses were replaced by us; values otherwise unchanged.

“kind” says how far a file can be trusted: _recorded_ = answer of a real server; _documented_ = example of the vendor's documentation, its file is named \`*.documented.json\`.

| file | request it answers | kind | source | remarks |
| --- | --- | --- | --- | --- |
`;

const testOf = (id: string) => `import { subject } from '../../fixtures/${id}/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import { outcomes } from '../../plugins/${id}.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  queued: 'queued',
  running: 'running',
  success: 'passed',
  failed: 'failed',
  cancelled: 'cancelled',
});
`;
