import assert from 'node:assert/strict';
import { STATES } from '../../lib/builds/index.ts';
import { DEFAULT_FRESHNESS, lifeOf, pauseAfter } from '../../lib/resolving/index.ts';

const SECOND = 1_000;

describe('freshness', () => {
  const lives: Record<(typeof STATES)[number], [fresh: number, servable: number]> = {
    pending: [10, 60],
    running: [10, 60],
    success: [60, 300],
    warning: [60, 300],
    error: [60, 300],
    unknown: [60, 300],
  };
  for (const state of STATES) {
    const [fresh, servable] = lives[state];
    it(`of ${state} is ${fresh} s, and it may be served up to ${servable} s`, () => {
      assert.deepEqual(lifeOf(state, true, DEFAULT_FRESHNESS), {
        freshMs: fresh * SECOND,
        servableMs: servable * SECOND,
      });
    });
  }

  it('of no match is 30 s, and then it is not served', () => {
    const { freshMs, servableMs } = lifeOf('unknown', false, DEFAULT_FRESHNESS);
    assert.deepEqual([freshMs, servableMs], [30 * SECOND, 30 * SECOND]);
  });

  it('is as the settings say', () => {
    const settings = {
      ...DEFAULT_FRESHNESS,
      movingMs: 1,
      movingStaleMs: 2,
      settledMs: 3,
      settledStaleMs: 4,
      noMatchMs: 5,
    };
    assert.deepEqual(lifeOf('running', true, settings), { freshMs: 1, servableMs: 2 });
    assert.deepEqual(lifeOf('error', true, settings), { freshMs: 3, servableMs: 4 });
    assert.deepEqual(lifeOf('unknown', false, settings), { freshMs: 5, servableMs: 5 });
  });

  it('gives a backend two seconds, and outlives it by a day', () => {
    assert.equal(DEFAULT_FRESHNESS.patienceMs, 2 * SECOND);
    assert.equal(DEFAULT_FRESHNESS.lastKnownMs, 24 * 3_600 * SECOND);
  });
});

describe('the pause after failures', () => {
  const now = Date.parse('2026-01-01');
  const pause = (failures: number, retryAt?: number) =>
    pauseAfter(failures, retryAt === undefined ? undefined : new Date(retryAt), now, DEFAULT_FRESHNESS) / SECOND;

  it('doubles from 5 s to a minute', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 60, 5_000].map((failures) => pause(failures)),
      [5, 10, 20, 40, 60, 60, 60, 60],
    );
  });

  const asked: readonly [string, number, number][] = [
    ['as the backend asked', now + 120 * SECOND, 120],
    ['5 s at least', now, 5],
    ['5 s when the backend’s clock is behind', now - 3_600 * SECOND, 5],
    ['an hour at most', now + 86_400 * SECOND, 3_600],
  ];
  for (const [what, retryAt, seconds] of asked) it(`is ${what}`, () => assert.equal(pause(9, retryAt), seconds));
});
