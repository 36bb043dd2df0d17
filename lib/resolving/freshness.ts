import type { State } from '../builds/index.ts';

/** How long an answer holds, in milliseconds. */
export interface Freshness {
  /** For pending and running builds. */
  readonly movingMs: number;
  /** For success, warning and error, and for a status that nobody knows. */
  readonly settledMs: number;
  readonly noMatchMs: number;
  /** After its time an answer of a moving build is still given while it is asked for again, up to this age. */
  readonly movingStaleMs: number;
  readonly settledStaleMs: number;
  /** First and longest pause between two attempts when the backend cannot be asked. */
  readonly retryMs: number;
  readonly retryMostMs: number;
  /** How long the last known state outlives its backend. */
  readonly lastKnownMs: number;
  /** The longest that a request waits for the backend. */
  readonly patienceMs: number;
}

export const DEFAULT_FRESHNESS: Freshness = {
  movingMs: 10_000,
  settledMs: 60_000,
  noMatchMs: 30_000,
  movingStaleMs: 60_000,
  settledStaleMs: 5 * 60_000,
  retryMs: 5_000,
  retryMostMs: 60_000,
  lastKnownMs: 24 * 60 * 60_000,
  patienceMs: 2_000,
};

/** Until when an answer is fresh, and until when it may be given while a new one is under way. Ages in milliseconds. */
export function lifeOf(state: State, matched: boolean, freshness: Freshness): { freshMs: number; servableMs: number } {
  if (!matched) return { freshMs: freshness.noMatchMs, servableMs: freshness.noMatchMs };
  const moving = state === 'pending' || state === 'running';
  return moving
    ? { freshMs: freshness.movingMs, servableMs: freshness.movingStaleMs }
    : { freshMs: freshness.settledMs, servableMs: freshness.settledStaleMs };
}

/** The pause before the next attempt after `failures` in a row: doubling, or as the backend asked for. */
export function pauseAfter(failures: number, retryAt: Date | undefined, now: number, freshness: Freshness): number {
  if (retryAt) return Math.min(Math.max(retryAt.getTime() - now, freshness.retryMs), 60 * 60_000);
  return Math.min(freshness.retryMs * 2 ** (failures - 1), freshness.retryMostMs);
}
