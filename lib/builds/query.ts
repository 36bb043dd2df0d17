/** The filters of a build query; a provider lists those that it can evaluate. */
export const FILTERS = [
  'application',
  'applicationId',
  'release',
  'branch',
  'tag',
  'commit',
  'build',
  'workflow',
  'stage',
  'job',
  'variables',
] as const;
export type Filter = (typeof FILTERS)[number];

/** The AND of filters on application, release, build and variables. An absent filter matches everything. */
export interface BuildQuery {
  readonly application?: string;
  readonly applicationId?: string;
  /** For git-based CI: the ref, branch or tag. */
  readonly release?: string;
  readonly branch?: string;
  readonly tag?: string;
  /** Full or abbreviated SHA, 7 hexadecimal digits at least. */
  readonly commit?: string;
  readonly build?: string;
  readonly workflow?: string;
  readonly stage?: string;
  readonly job?: string;
  /** Names as the asker wrote them; they are compared without regard to case. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Pass over candidates that have not ended. */
  readonly finished?: boolean;
}

/** A build query that cannot be read. The message says what was wrong and what would be right. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

/** An argument as it was sent: a name and a text. */
export type Argument = readonly [name: string, value: string];

export interface ParsedQuery {
  readonly query: BuildQuery;
  /** The names of arguments that were given twice; the first of each counts. */
  readonly duplicates: readonly string[];
}

type TextFilter = Exclude<Filter, 'variables'>;

const RESERVED: Readonly<Record<string, TextFilter>> = {
  $applicationname: 'application',
  $applicationid: 'applicationId',
  $releasenumber: 'release',
  $buildnumber: 'build',
  $branch: 'branch',
  $tag: 'tag',
  $gitcommit: 'commit',
  $commit: 'commit',
  workflow: 'workflow',
  stage: 'stage',
  job: 'job',
};

const LONGEST_VALUE = 1024;
const MOST_VARIABLES = 20;

/**
 * The build query among a request's arguments; arguments that are not part of one are ignored.
 * Names are compared without regard to case, as BuildMaster does.
 * @throws QueryError for a filter that is empty, too long, has control characters or is no SHA where one is wanted
 */
export function parseQuery(args: readonly Argument[]): ParsedQuery {
  const filters: Partial<Record<TextFilter, string>> = {};
  const variables = new Map<string, Argument>();
  const duplicates: string[] = [];
  let finished: boolean | undefined;
  for (const [name, value] of args) {
    const folded = name.toLowerCase();
    const filter = Object.hasOwn(RESERVED, folded) ? RESERVED[folded] : undefined;
    if (folded === 'finished') {
      if (finished === undefined) finished = parseFlag(name, value);
      else duplicates.push(name);
    } else if (filter) {
      if (filters[filter] === undefined) filters[filter] = checkValue(name, value);
      else duplicates.push(name);
    } else if (name.startsWith('$')) {
      if (!variables.has(folded)) variables.set(folded, [variableName(name), checkValue(name, value)]);
      else duplicates.push(name);
    }
  }
  if (variables.size > MOST_VARIABLES) {
    throw new QueryError(`${variables.size} variables are too many: at most ${MOST_VARIABLES} can be filtered by`);
  }
  if (filters.commit !== undefined) filters.commit = checkCommit(filters.commit);
  const query: BuildQuery = {
    ...filters,
    ...(variables.size > 0 && { variables: Object.fromEntries(variables.values()) }),
    ...(finished && { finished }),
  };
  return { query, duplicates };
}

/** The ref that a query asks for, whichever filter names it. */
export function refOf({ branch, tag, release }: BuildQuery): string | undefined {
  return branch ?? tag ?? release;
}

/** The commit of a query when it is a full SHA, for servers that take no abbreviation. */
export function fullCommitOf({ commit }: BuildQuery): string | undefined {
  return commit !== undefined && commit.length >= 40 ? commit : undefined;
}

/** A text that is the same for two queries that ask the same, and for no others. */
export function queryIdentity(query: BuildQuery): string {
  let identity = query.finished ? 'finished' : '';
  for (const filter of FILTERS) {
    if (filter !== 'variables') identity += part(query[filter]);
  }
  if (query.variables === undefined) return identity;
  const variables = Object.entries(query.variables).map(([name, value]) => part(name.toLowerCase()) + part(value));
  return identity + variables.sort().join('');
}

/** With its length before it no text can look like two. */
function part(text: string | undefined): string {
  return text === undefined ? ' ' : ` ${text.length}:${text}`;
}

function variableName(name: string): string {
  if (name.length === 1) throw new QueryError('`$` is no variable name: write $Name=value');
  return name.slice(1);
}

function checkValue(name: string, value: string): string {
  if (value === '') throw new QueryError(`${name} is empty: give it a value or leave it out`);
  if (value.length > LONGEST_VALUE) {
    throw new QueryError(`${name} has ${value.length} characters: ${LONGEST_VALUE} are the most`);
  }
  if (/[\u0000-\u001f\u007f]/.test(value)) throw new QueryError(`${name} has a control character in it`);
  return value;
}

function checkCommit(value: string): string {
  if (!/^[0-9a-f]{7,64}$/i.test(value)) {
    throw new QueryError(`$GitCommit is no commit: 7 to 64 hexadecimal digits were wanted`);
  }
  return value.toLowerCase();
}

function parseFlag(name: string, value: string): boolean {
  if (['1', 'true', 'yes', ''].includes(value.toLowerCase())) return true;
  if (['0', 'false', 'no'].includes(value.toLowerCase())) return false;
  throw new QueryError(`${name} is neither 1 nor 0`);
}
