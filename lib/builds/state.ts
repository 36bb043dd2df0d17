/** What a badge shows. The six words are BuildMaster's and are documented for users. */
export const STATES = ['success', 'pending', 'running', 'warning', 'error', 'unknown'] as const;
export type State = (typeof STATES)[number];

/** What a provider reads from its backend's word. The core, not the provider, turns it into a state. */
export const OUTCOMES = [
  'passed',
  'warned',
  'failed',
  'cancelled',
  'skipped',
  'queued',
  'waiting',
  'running',
  'unknown',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A vendor's words and what they mean, spelled as the vendor spells them. */
export type OutcomeTable = Readonly<Record<string, Outcome>>;

/** The outcome of a vendor's word; `unknown` for a word the table does not have, never a guess. */
export function outcomeOf(table: OutcomeTable, word: string | null | undefined): Outcome {
  return word != null && Object.hasOwn(table, word) ? (table[word] ?? 'unknown') : 'unknown';
}

/** The outcomes whose state is a matter of taste; `pass over` looks on to the next older candidate. */
export interface StatePolicy {
  readonly cancelled: 'warning' | 'error' | 'pass over';
  readonly skipped: 'pass over' | 'success' | 'warning';
  readonly waiting: 'pending' | 'pass over';
}

export const DEFAULT_POLICY: StatePolicy = { cancelled: 'warning', skipped: 'pass over', waiting: 'pending' };

const FIXED = {
  passed: 'success',
  warned: 'warning',
  failed: 'error',
  queued: 'pending',
  running: 'running',
  unknown: 'unknown',
} as const;

/** The state that an outcome shows; `undefined` when the policy passes over it. */
export function stateOf(outcome: Outcome, policy: StatePolicy = DEFAULT_POLICY): State | undefined {
  if (outcome === 'cancelled' || outcome === 'skipped' || outcome === 'waiting') {
    const state = policy[outcome];
    return state === 'pass over' ? undefined : state;
  }
  return FIXED[outcome];
}

const FROM_WORST: readonly State[] = ['error', 'warning', 'running', 'pending', 'unknown', 'success'];

/** The state that a roll-up of several builds shows; `unknown` for none. */
export function worstOf(states: readonly State[]): State {
  return FROM_WORST.find((state) => states.includes(state)) ?? 'unknown';
}
