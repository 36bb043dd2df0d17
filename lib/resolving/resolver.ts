import { LRUCache } from 'lru-cache';
import { type BuildQuery, type Execution, queryIdentity, type State } from '../builds/index.ts';
import { type Reason, SignalboxError, UpstreamError, UpstreamLimited } from '../providers/index.ts';
import type { Route } from '../sources/index.ts';
import { DEFAULT_FRESHNESS, type Freshness, lifeOf, pauseAfter } from './freshness.ts';
import { ApplicationStamps, holds, type Seen, see } from './stamp.ts';

/** What is known of a build query. */
export interface Resolution {
  readonly state: State;
  /** Absent when nothing matched or nothing could be asked. */
  readonly execution?: Execution;
  /** Why there is no fresh answer, or none at all. */
  readonly reason?: Reason;
  /** For the asker: what was wrong and what would be right. */
  readonly detail?: string;
  readonly source?: string;
  /** When the backend gave this answer; absent when it never did. */
  readonly askedAt?: Date;
  /** Milliseconds since 1970 until which the answer is fresh; in the past for one that is being asked for again. */
  readonly freshUntil: number;
  /** The last known state of a backend that cannot be asked now. */
  readonly stale: boolean;
  /** How the answer was come by, for `Cache-Status`. */
  readonly cache: 'hit' | 'stale' | 'miss';
  /** The answer holds only as long as these stand. */
  readonly seen: readonly Seen[];
}

export interface Resolver {
  /**
   * The first of the routes that has an answer, at once if it is fresh in the cache. Never throws: what went wrong is the
   * resolution's reason.
   */
  find(routes: readonly Route[]): Resolution | Promise<Resolution>;
  /** Something changed: what is known of the application, or of the whole source, is not to be given any more. */
  expire(source: string, application?: string): void;
}

export interface ResolverSettings {
  readonly freshness?: Freshness;
  /** By the name of the source. */
  readonly freshnessOf?: Readonly<Record<string, Freshness>>;
  /** Queries to remember, at most. */
  readonly entries?: number;
  readonly stamps?: ApplicationStamps;
  readonly now?: () => number;
  /** Told of errors that are nobody's fault but ours. */
  readonly onBug?: (error: unknown) => void;
  /** Told when a backend could not be asked. */
  readonly onFailure?: (source: string, error: SignalboxError) => void;
}

interface Answer {
  readonly state: State;
  readonly execution?: Execution;
  readonly reason?: Reason;
  readonly detail?: string;
  readonly askedAt: number;
  readonly freshUntil: number;
  readonly servableUntil: number;
  readonly seen: readonly Seen[];
}

interface Failure {
  readonly reason: Reason;
  readonly count: number;
  readonly retryAt: number;
  readonly seen: readonly Seen[];
}

interface Refresh {
  readonly done: Promise<void>;
  readonly seen: readonly Seen[];
}

interface Entry {
  readonly route: Route;
  readonly freshness: Freshness;
  answer?: Answer;
  /** What whoever asks is told while the answer is fresh: the same each time. */
  hit?: Resolution;
  failure?: Failure;
  refresh?: Refresh;
}

const TIMED_OUT = Symbol('timed out');

/** Keeps what backends answered, asks them once for however many wait, and outlives their outages. */
export function createResolver(settings: ResolverSettings = {}): Resolver {
  const { freshness: common = DEFAULT_FRESHNESS, freshnessOf = {}, entries = 100_000 } = settings;
  const { stamps = new ApplicationStamps(), now = Date.now } = settings;
  const known = new LRUCache<string, Entry>({ max: entries });

  function entryOf(route: Route): Entry {
    const identity = `${route.source.name} ${queryIdentity(route.query)}`;
    let entry = known.get(identity);
    if (!entry) {
      entry = { route, freshness: freshnessOf[route.source.name] ?? common };
      known.set(identity, entry);
    }
    return entry;
  }

  async function ask(entry: Entry, seen: readonly Seen[]): Promise<void> {
    const { source, query } = entry.route;
    try {
      const choice = await source.ask(query);
      if (choice.found) {
        keep(entry, { state: choice.state, execution: choice.execution }, true, seen);
      } else {
        const reason = choice.limited ? 'not-among-newest' : 'no-match';
        keep(entry, { state: 'unknown', reason, detail: describeMiss(query, choice) }, false, seen);
      }
    } catch (error) {
      if (error instanceof SignalboxError && !(error instanceof UpstreamError)) {
        keep(entry, { state: 'unknown', reason: error.reason, detail: error.message }, false, seen);
      } else {
        fail(entry, error, seen);
      }
    }
  }

  function keep(
    entry: Entry,
    answer: Pick<Answer, 'state' | 'execution' | 'reason' | 'detail'>,
    matched: boolean,
    seen: readonly Seen[],
  ): void {
    if (isOutrun(entry, seen)) return;
    const askedAt = now();
    const { freshMs, servableMs } = lifeOf(answer.state, matched, entry.freshness);
    entry.answer = { ...answer, askedAt, freshUntil: askedAt + freshMs, servableUntil: askedAt + servableMs, seen };
    delete entry.failure;
    delete entry.hit;
  }

  function fail(entry: Entry, error: unknown, seen: readonly Seen[]): void {
    const { name } = entry.route.source;
    if (error instanceof SignalboxError) settings.onFailure?.(name, error);
    else settings.onBug?.(error);
    if (isOutrun(entry, seen)) return;
    const count = (entry.failure?.count ?? 0) + 1;
    const retryAt = error instanceof UpstreamLimited ? error.retryAt : undefined;
    const reason = error instanceof SignalboxError ? error.reason : 'internal-error';
    entry.failure = { reason, count, retryAt: now() + pauseAfter(count, retryAt, now(), entry.freshness), seen };
  }

  /** One refresh for all who wait; a new one when something changed since the running one began. */
  function refresh(entry: Entry): Promise<void> {
    if (entry.refresh && holds(entry.refresh.seen)) return entry.refresh.done;
    const { source, query } = entry.route;
    const seen = see(...stamps.of(source.name, query.application));
    const started: Refresh = {
      seen,
      done: ask(entry, seen).finally(() => {
        if (entry.refresh === started) delete entry.refresh;
      }),
    };
    entry.refresh = started;
    return started.done;
  }

  function view(entry: Entry, cache: Resolution['cache'], timedOut = false): Resolution {
    const { answer, failure } = entry;
    const source = entry.route.source.name;
    const time = now();
    const trouble = timedOut ? 'timeout' : failure?.reason;
    const seen = (failure ?? answer)?.seen ?? see(...stamps.of(source, entry.route.query.application));
    const shared = { source, cache, seen };
    if (!trouble && answer) return { ...shared, ...describe(answer), freshUntil: answer.freshUntil, stale: false };
    const until = failure && !timedOut ? failure.retryAt : time + 1_000;
    if (answer && time < answer.askedAt + entry.freshness.lastKnownMs) {
      return { ...shared, ...describe(answer), reason: trouble ?? 'timeout', freshUntil: until, stale: true };
    }
    return { ...shared, state: 'unknown', reason: trouble ?? 'timeout', freshUntil: until, stale: false };
  }

  function freshOf(entry: Entry): Resolution | undefined {
    const { answer, failure } = entry;
    if (!answer || failure || now() >= answer.freshUntil || !holds(answer.seen)) return undefined;
    entry.hit ??= view(entry, 'hit');
    return entry.hit;
  }

  async function lookUp(route: Route): Promise<Resolution> {
    const entry = entryOf(route);
    const fresh = freshOf(entry);
    if (fresh) return fresh;
    const { answer, failure } = entry;
    const time = now();
    const current = answer !== undefined && holds(answer.seen);
    if (failure && time < failure.retryAt && holds(failure.seen)) return view(entry, 'stale');
    const done = refresh(entry);
    if (current && (failure || time < answer.servableUntil)) return view(entry, 'stale');
    const end = await withinPatience(done, entry.freshness.patienceMs);
    return view(entry, 'miss', end === TIMED_OUT);
  }

  async function search(routes: readonly Route[]): Promise<Resolution> {
    let best: Resolution | undefined;
    for (const route of routes) {
      const resolution = await lookUp(route);
      if (resolution.execution) return best ? { ...resolution, ...dependingOnBoth(resolution, best) } : resolution;
      best = best ? { ...moreTelling(best, resolution), ...dependingOnBoth(best, resolution) } : resolution;
    }
    return best ?? { ...NOTHING_TO_ASK, freshUntil: now() + common.noMatchMs };
  }

  return {
    find(routes) {
      const [first] = routes;
      const fresh = first && freshOf(entryOf(first));
      return fresh?.execution ? fresh : search(routes);
    },
    expire: (source, application) => stamps.touch(source, application),
  };
}

const NOTHING_TO_ASK: Omit<Resolution, 'freshUntil'> = {
  state: 'unknown',
  reason: 'no-match',
  detail: 'no source is there to be asked for this application',
  stale: false,
  cache: 'miss',
  seen: [],
};

/** Something changed since a question was put, and a later question has its answer already. */
function isOutrun({ answer, failure }: Entry, seen: readonly Seen[]): boolean {
  return !holds(seen) && [answer, failure].some((known) => known !== undefined && holds(known.seen));
}

function describe({ state, execution, reason, detail, askedAt }: Answer) {
  return { state, execution, reason, detail, askedAt: new Date(askedAt) };
}

/** Among sources of which none has an answer, one that could not be asked says more than one that has no such build. */
function moreTelling(first: Resolution, second: Resolution): Resolution {
  return first.reason === 'no-match' && second.reason !== 'no-match' ? second : first;
}

/** An answer holds only as long as none of those that were asked before has another. */
function dependingOnBoth(a: Resolution, b: Resolution): Pick<Resolution, 'freshUntil' | 'seen'> {
  return { freshUntil: Math.min(a.freshUntil, b.freshUntil), seen: [...a.seen, ...b.seen] };
}

function describeMiss(query: BuildQuery, { examined, limited }: { examined: number; limited: boolean }): string {
  if (limited) return `none of the newest ${examined} builds matches`;
  return examined === 0
    ? `there is no build${query.application ? ` of \`${query.application}\`` : ''}`
    : 'no build matches';
}

async function withinPatience(done: Promise<void>, patienceMs: number): Promise<typeof TIMED_OUT | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<typeof TIMED_OUT>((resolve) => {
    timer = setTimeout(resolve, patienceMs, TIMED_OUT);
  });
  const end = await Promise.race([done, patience]);
  clearTimeout(timer);
  return end ?? undefined;
}
