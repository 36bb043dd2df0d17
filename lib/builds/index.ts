/** The words of Signalbox as types and pure functions; imports nothing of the rest. */
export * from './choice.ts';
export * from './execution.ts';
export * from './query.ts';
export * from './state.ts';
