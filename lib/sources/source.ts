import { LRUCache } from 'lru-cache';
import {
  type BuildQuery,
  type Choice,
  chooseExecution,
  type Execution,
  type Filter,
  type Pages,
  refOf,
  type StatePolicy,
} from '../builds/index.ts';
import {
  BadRequest,
  type Project,
  type ProjectWish,
  type Provider,
  pageUrl,
  UnsupportedFilter,
  type Upstream,
  UpstreamAbsent,
  UpstreamError,
} from '../providers/index.ts';

/** How one source is asked and read, beside its provider's own options. */
export interface SourceSettings {
  readonly name: string;
  readonly provider: Provider;
  readonly options: unknown;
  readonly upstream: Upstream;
  readonly policy?: StatePolicy;
  /** Candidates to look at for one query, at most. */
  readonly scanLimit?: number;
  /** The root of the backend, as configured. */
  readonly url?: string;
  /** Replaces `url`, or else the origin, of web pages: a CI behind a firewall names itself by an inner address. */
  readonly webUrl?: string;
  readonly log?: (message: string) => void;
}

/** One configured backend. */
export interface Source {
  readonly name: string;
  readonly provider: Provider;
  /**
   * Asks the backend for the latest execution that matches.
   * @throws UnsupportedFilter, BadRequest, UpstreamError
   */
  ask(query: BuildQuery): Promise<Choice>;
  /** A forge's facts about a project; `undefined` when it has none or the provider is no forge's. */
  findProject(application: string, wish: ProjectWish): Promise<Project | undefined>;
  close(): Promise<void>;
}

const DEFAULT_BRANCH_TTL_MS = 60 * 60 * 1000;
/** After so many failures in a row a source is not asked for a while, so that a dead CI costs nobody their patience. */
const FAILURES_TO_OPEN = 5;
const OPEN_MS = 5_000;

export function createSource(settings: SourceSettings): Source {
  const { name, provider, options, upstream, policy, scanLimit } = settings;
  const context = { options, upstream };
  const breaker = createBreaker(name);
  const strangeWords = new Set<string>();
  /** Made when first wanted: its room is laid out at once, for each of many sources that nobody may ever ask. */
  let defaultBranches: LRUCache<string, { branch: string | undefined }> | undefined;

  async function findProject(application: string, wish: ProjectWish): Promise<Project | undefined> {
    if (!provider.findProject) return undefined;
    const find = provider.findProject;
    return breaker(() => find.call(provider, application, context, wish).catch(absentAsUndefined));
  }

  /** A forge's query without ref, commit and build means the default branch. */
  async function withDefaultBranch(query: BuildQuery): Promise<BuildQuery> {
    const application = query.application ?? query.applicationId;
    const open = refOf(query) === undefined && query.commit === undefined && query.build === undefined;
    if (!provider.findProject || !open || application === undefined) return query;
    defaultBranches ??= new LRUCache({ max: 10_000, ttl: DEFAULT_BRANCH_TTL_MS });
    let known = defaultBranches.get(application);
    if (!known) {
      const project = await findProject(application, {});
      known = { branch: project?.defaultBranch };
      // A project that is not there may be there soon.
      if (project) defaultBranches.set(application, known);
    }
    return known.branch === undefined ? query : { ...query, branch: known.branch };
  }

  function logUnknownWord({ outcome, status }: Execution): void {
    if (outcome !== 'unknown' || strangeWords.has(status) || strangeWords.size > 100) return;
    strangeWords.add(status);
    settings.log?.(`source ${name}: nobody knows the status \`${status}\`: shown as unknown`);
  }

  return {
    name,
    provider,
    findProject,
    close: () => upstream.close(),
    async ask(asked) {
      const query = await withDefaultBranch(adaptQuery(asked, provider));
      const application = query.application ?? query.applicationId ?? '';
      const candidates = provider.executions({ ...query, application }, context);
      const choice = await breaker(() =>
        chooseExecution(endingWhenAbsent(candidates), query, {
          ...(policy && { policy }),
          ...(scanLimit !== undefined && { limit: scanLimit }),
        }),
      );
      if (!choice.found) {
        if (choice.undecided.length > 0) throw unsupported(provider, choice.undecided);
        return choice;
      }
      logUnknownWord(choice.execution);
      return {
        ...choice,
        execution: { ...choice.execution, pages: seenFromOutside(choice.execution.pages, settings) },
      };
    },
  };
}

/**
 * The query in the filters of a provider. Where a backend knows no branch, tag or commit but has variables, these are
 * variables, as they are in BuildMaster.
 */
function adaptQuery(query: BuildQuery, provider: Provider): BuildQuery {
  const has = (filter: Filter) => provider.filters.includes(filter);
  const { branch, tag, commit, ...rest } = query;
  const git = { branch, tag, commit };
  const asVariables: Record<string, string> = {};
  const kept: Record<string, string> = {};
  for (const [filter, name] of [
    ['branch', 'Branch'],
    ['tag', 'Tag'],
    ['commit', 'GitCommit'],
  ] as const) {
    const value = git[filter];
    if (value === undefined) continue;
    if (has(filter) || !has('variables')) kept[filter] = value;
    else asVariables[name] = value;
  }
  const variables = { ...asVariables, ...query.variables };
  const adapted: BuildQuery = { ...rest, ...kept, ...(Object.keys(variables).length > 0 && { variables }) };
  const strange = (Object.keys(adapted) as (keyof BuildQuery)[]).filter(
    (key): key is Filter => key !== 'finished' && adapted[key] !== undefined && !has(key),
  );
  if (strange.length > 0) throw unsupported(provider, strange);
  const named = adapted.application !== undefined || adapted.applicationId !== undefined;
  if (!named && !provider.withoutApplication) {
    throw new BadRequest(
      `${provider.title} needs an application: add $ApplicationName=<${provider.words.application}>`,
    );
  }
  return adapted;
}

function unsupported(provider: Provider, filters: readonly Filter[]): UnsupportedFilter {
  const can = provider.filters.join(', ');
  return new UnsupportedFilter(`${provider.title} cannot be filtered by ${filters.join(', ')}; it can by ${can}`);
}

function absentAsUndefined(error: unknown): undefined {
  if (error instanceof UpstreamAbsent) return undefined;
  throw error;
}

/** The backend's 404 ends the candidates: nothing found is an answer. */
async function* endingWhenAbsent(candidates: AsyncIterable<Execution>): AsyncIterable<Execution> {
  try {
    yield* candidates;
  } catch (error) {
    absentAsUndefined(error);
  }
}

/** The pages as a reader's browser reaches them; what is no http(s) address is left out, for a link would lead there. */
function seenFromOutside(pages: Pages, settings: SourceSettings): Pages {
  const seen = Object.entries(pages).flatMap(([page, address]) => {
    const web = pageUrl(address && moveOutside(address, settings));
    // A header takes no other letters.
    return web === undefined ? [] : [[page, /^[\x21-\x7e]+$/.test(web) ? web : new URL(web).href]];
  });
  return Object.fromEntries(seen);
}

function moveOutside(address: string, { url, webUrl }: SourceSettings): string {
  if (webUrl === undefined) return address;
  if (url !== undefined && (address === url || address.startsWith(`${url}/`)))
    return webUrl + address.slice(url.length);
  return address.replace(/^https?:\/\/[^/?#]*/, new URL(webUrl).origin);
}

function createBreaker(name: string) {
  let failures = 0;
  let openUntil = 0;
  return async <T>(ask: () => Promise<T>): Promise<T> => {
    if (Date.now() < openUntil)
      throw new UpstreamError(`source ${name} failed ${failures} times: not asked for a moment`);
    try {
      const answer = await ask();
      failures = 0;
      return answer;
    } catch (error) {
      const isDown = error instanceof UpstreamError && error.reason === 'upstream-unreachable';
      failures = isDown ? failures + 1 : 0;
      if (failures >= FAILURES_TO_OPEN) openUntil = Date.now() + OPEN_MS;
      throw error;
    }
  };
}
