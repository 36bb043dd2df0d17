import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  DEFAULT_POLICY,
  OUTCOMES,
  type Outcome,
  outcomeOf,
  STATES,
  type State,
  type StatePolicy,
  stateOf,
  worstOf,
} from '../../lib/builds/index.ts';

describe('states', () => {
  it('are the six words of BuildMaster', () => {
    assert.deepEqual([...STATES], ['success', 'pending', 'running', 'warning', 'error', 'unknown']);
  });

  const byDefault: Record<Outcome, State | undefined> = {
    passed: 'success',
    warned: 'warning',
    failed: 'error',
    cancelled: 'warning',
    skipped: undefined,
    queued: 'pending',
    waiting: 'pending',
    running: 'running',
    unknown: 'unknown',
  };
  for (const [outcome, state] of Object.entries(byDefault)) {
    it(`${outcome} shows ${state ?? 'nothing: it is passed over'}`, () => {
      assert.equal(stateOf(outcome as Outcome), state);
    });
  }

  it('are said of every outcome there is', () => {
    assert.deepEqual(Object.keys(byDefault).sort(), [...OUTCOMES].sort());
  });

  const settings: readonly [Partial<StatePolicy>, Outcome, State | undefined][] = [
    [{ cancelled: 'error' }, 'cancelled', 'error'],
    [{ cancelled: 'pass over' }, 'cancelled', undefined],
    [{ skipped: 'success' }, 'skipped', 'success'],
    [{ skipped: 'warning' }, 'skipped', 'warning'],
    [{ waiting: 'pass over' }, 'waiting', undefined],
  ];
  for (const [setting, outcome, state] of settings) {
    it(`${outcome} shows ${state ?? 'nothing'} with the policy ${JSON.stringify(setting)}`, () => {
      assert.equal(stateOf(outcome, { ...DEFAULT_POLICY, ...setting }), state);
    });
  }

  it('of the other outcomes follow no policy', () => {
    const odd: StatePolicy = { cancelled: 'error', skipped: 'success', waiting: 'pass over' };
    for (const outcome of OUTCOMES.filter((word) => !['cancelled', 'skipped', 'waiting'].includes(word))) {
      assert.equal(stateOf(outcome, odd), stateOf(outcome), outcome);
    }
  });
});

describe('outcomeOf', () => {
  const table = { green: 'passed', red: 'failed' } as const;
  it('reads the words of a table', () => assert.equal(outcomeOf(table, 'red'), 'failed'));

  for (const word of [
    'GREEN',
    'green ',
    '',
    'constructor',
    'toString',
    '__proto__',
    'hasOwnProperty',
    null,
    undefined,
  ]) {
    it(`does not know ${JSON.stringify(word)}`, () => assert.equal(outcomeOf(table, word), 'unknown'));
  }
});

describe('worstOf', () => {
  const fromWorst: readonly State[] = ['error', 'warning', 'running', 'pending', 'unknown', 'success'];

  it('is unknown for none', () => assert.equal(worstOf([]), 'unknown'));

  it('is the first of error, warning, running, pending, unknown, success that is there', () => {
    const states = fc.array(fc.constantFrom(...STATES), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(states, (some) => {
        const least = Math.min(...some.map((state) => fromWorst.indexOf(state)));
        assert.equal(worstOf(some), fromWorst[least]);
      }),
    );
  });
});
