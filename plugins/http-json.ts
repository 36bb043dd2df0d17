import { z } from 'zod';
import { type Execution, OUTCOMES, outcomeOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  fillTemplate,
  httpUrl,
  instant,
  instantOfMs,
  instantOfSeconds,
  type Named,
  pageUrl,
  pathTemplate,
  secret,
  tokenHeader,
} from '../lib/providers/index.ts';

/** The value at a JSON Pointer (RFC 6901); `undefined` where there is none. */
export function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    if (Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

const pointer = () => z.string().regex(/^(\/([^~/]|~[01])*)*$/, 'must be a JSON Pointer, such as /build/status');
const options = z.strictObject({
  /** Root of the API. */
  url: httpUrl(),
  /** What to ask for below `url`, such as `jobs/{+application}/builds?branch={branch}`. */
  path: pathTemplate(),
  /** Pointer to a list of builds, newest first: the other pointers are then relative to each of them. */
  items: pointer().optional(),
  /** Pointer to the status. */
  status: pointer(),
  /** What each status means: passed, warned, failed, cancelled, skipped, queued, waiting, running or unknown. */
  words: z.record(z.string(), z.enum(OUTCOMES)),
  /** Pointer to the build number. */
  build: pointer().optional(),
  /** Pointer to the branch. */
  branch: pointer().optional(),
  /** Pointer to the SHA. */
  commit: pointer().optional(),
  /** Pointer to the address of the build's page. */
  page: pointer().optional(),
  /** Pointer to the time of the start: ISO 8601, or seconds or milliseconds since 1970. */
  startedAt: pointer().optional(),
  /** Sent as `Authorization: Bearer …`, or as it stands in another header. */
  token: secret().optional(),
  /** The header that carries the token. */
  header: z
    .string()
    .regex(/^[\w-]+$/, 'must be the name of a header')
    .optional(),
});
type Options = z.output<typeof options>;

/** Any backend that answers JSON, told in the configuration how to ask it and how to read it. */
export default defineProvider({
  id: 'http-json',
  title: 'Any JSON over HTTP',
  docs: 'https://www.rfc-editor.org/rfc/rfc6901',
  words: { application: 'as `path` takes it', release: 'branch', build: 'build number', execution: 'build' },
  filters: ['application', 'release', 'branch', 'commit', 'build'],
  withoutApplication: true,
  notes: [
    'In `path`, `{application}`, `{branch}`, `{commit}` and `{build}` are filled in and encoded; `{+application}` keeps its slashes. After a `?`, an argument that was not asked for is left out. Without `{application}` every application means the same answer.',
    'A filter counts as decided when the path (before the `?`) or a pointer names it: an answer is checked against what was asked for.',
    'Null is the word `""` in `words`; so is a missing status, if that word is there.',
  ],
  options,

  async *executions(query, { options, upstream }) {
    const { url, named } = fillTemplate(options.url, options.path, query);
    const headers = options.header ? tokenHeader(options.header, options.token) : bearer(options.token);
    for (const item of await upstream.json(url, schemaOf(options), { headers })) {
      yield toExecution(query.application, options, named, item);
    }
  },
});

const schemas = new WeakMap<Options, ReturnType<typeof toSchema>>();

/** Making a schema takes longer than reading an answer with it: each source's is made once. */
function schemaOf(options: Options) {
  const schema = schemas.get(options) ?? toSchema(options);
  schemas.set(options, schema);
  return schema;
}

/** The items of an answer; another shape where a list or a status is not where it was said to be. */
function toSchema({ items, status, words }: Options) {
  const hasStatus = (item: unknown) => valueAt(item, status) !== undefined || Object.hasOwn(words, '');
  return z
    .unknown()
    .transform((answer) => (items === undefined ? [answer] : valueAt(answer, items)))
    .pipe(z.array(z.unknown().refine(hasStatus, { error: `nothing at ${status}` })));
}

function toExecution(application: string, options: Options, named: Named, item: unknown): Execution {
  const read = (at: string | undefined) => (at === undefined ? undefined : toText(valueAt(item, at)));
  const status = read(options.status) ?? '';
  return {
    outcome: outcomeOf(options.words, status),
    status,
    application,
    branch: read(options.branch) ?? named.branch,
    commit: read(options.commit) ?? named.commit,
    build: read(options.build) ?? named.build,
    startedAt: options.startedAt === undefined ? undefined : toInstant(valueAt(item, options.startedAt)),
    pages: { build: pageUrl(read(options.page)) ?? options.url },
  };
}

function toText(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

/** A number below 1e11 is seconds: as such it reaches into the year 5138, as milliseconds only to 1973. */
function toInstant(value: unknown): Date | undefined {
  if (typeof value === 'string') return instant.parse(value);
  return typeof value === 'number' ? (value < 1e11 ? instantOfSeconds : instantOfMs).parse(value) : undefined;
}
