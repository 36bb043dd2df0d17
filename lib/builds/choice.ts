import { type Execution, hasEnded } from './execution.ts';
import { type BuildQuery, FILTERS, type Filter, refOf } from './query.ts';
import { DEFAULT_POLICY, type State, type StatePolicy, stateOf } from './state.ts';

/** What the candidates of one source say to a query. */
export type Choice =
  | { readonly found: true; readonly execution: Execution; readonly state: State }
  | {
      readonly found: false;
      /** How many candidates were looked at. */
      readonly examined: number;
      /** More candidates may exist than were looked at. */
      readonly limited: boolean;
      /** Filters that no candidate could decide, because none had the field. */
      readonly undecided: readonly Filter[];
    };

/** How far the choice looks, and what it passes over. */
export interface ChoiceRules {
  readonly policy?: StatePolicy;
  /** Candidates to look at, at most. */
  readonly limit?: number;
}

/**
 * The first candidate that matches and carries a verdict. Every candidate is checked against the whole query, because
 * several servers answer a filter that they do not know with everything they have.
 */
export async function chooseExecution(
  candidates: AsyncIterable<Execution>,
  query: BuildQuery,
  { policy = DEFAULT_POLICY, limit = 100 }: ChoiceRules = {},
): Promise<Choice> {
  let examined = 0;
  let undecided: readonly Filter[] | undefined;
  for await (const execution of candidates) {
    examined += 1;
    const verdicts = FILTERS.map((filter) => [filter, decide(filter, query, execution)] as const);
    // A candidate that another filter rules out leaves nothing open.
    if (verdicts.every(([, verdict]) => verdict !== false)) {
      const open = verdicts.filter(([, verdict]) => verdict === undefined).map(([filter]) => filter);
      undecided = undecided ? undecided.filter((filter) => open.includes(filter)) : open;
    }
    const fits = verdicts.every(([, verdict]) => verdict === true) && counts(query, execution);
    const state = fits ? stateOf(execution.outcome, policy) : undefined;
    if (state) return { found: true, execution, state };
    if (examined === limit) return { found: false, examined, limited: true, undecided: undecided ?? [] };
  }
  return { found: false, examined, limited: false, undecided: undecided ?? [] };
}

/** Whether an execution satisfies every filter of a query: for a provider that must ask more about one that does. */
export function matches(query: BuildQuery, execution: Execution): boolean {
  return FILTERS.every((filter) => decide(filter, query, execution) === true) && counts(query, execution);
}

/** Whether an execution satisfies one filter; `undefined` when it does not tell. */
function decide(filter: Filter, query: BuildQuery, execution: Execution): boolean | undefined {
  switch (filter) {
    case 'branch':
    case 'tag':
      return equal(query[filter], execution[filter] ?? refOfUnknownKind(execution));
    case 'release': {
      const refs = [execution.release, execution.branch, execution.tag].filter((ref) => ref !== undefined);
      if (query.release === undefined) return true;
      return refs.length === 0 ? undefined : refs.includes(query.release);
    }
    case 'commit':
      return sameCommit(query.commit, execution.commit);
    case 'application':
      return equal(query.application?.toLowerCase(), execution.application.toLowerCase());
    case 'variables':
      return haveVariables(query.variables, execution.variables);
    default:
      return equal(query[filter], execution[filter]);
  }
}

function equal(wanted: string | undefined, actual: string | undefined): boolean | undefined {
  if (wanted === undefined) return true;
  return actual === undefined ? undefined : wanted === actual;
}

/** A ref that may be a branch or a tag; when one kind is known, the execution is not of the other. */
function refOfUnknownKind({ release, branch, tag }: Execution): string | undefined {
  return branch === undefined && tag === undefined ? release : '';
}

function sameCommit(wanted: string | undefined, actual: string | undefined): boolean | undefined {
  if (wanted === undefined) return true;
  if (actual === undefined) return undefined;
  const [a, b] = [wanted.toLowerCase(), actual.toLowerCase()];
  return a.length >= 7 && b.length >= 7 && (a.startsWith(b) || b.startsWith(a));
}

function haveVariables(wanted: BuildQuery['variables'], actual: Execution['variables']): boolean | undefined {
  if (wanted === undefined) return true;
  if (actual === undefined) return undefined;
  const folded = new Map(Object.entries(actual).map(([name, value]) => [name.toLowerCase(), value]));
  return Object.entries(wanted).every(([name, value]) => folded.get(name.toLowerCase()) === value);
}

/** Pull requests count only where they were asked for; with `finished` only what has ended counts. */
function counts(query: BuildQuery, execution: Execution): boolean {
  if (query.finished && !hasEnded(execution)) return false;
  return !execution.pullRequest || query.build !== undefined || query.commit !== undefined || isPullRef(query);
}

/** GitHub, Gitea, Bitbucket and GitLab name the ref of a pull request so. */
function isPullRef(query: BuildQuery): boolean {
  return /^(refs\/)?(pull|pull-requests|merge-requests)\//.test(refOf(query) ?? '');
}
