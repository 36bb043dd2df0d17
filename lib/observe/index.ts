/** What the operator sees. */
export * from './log.ts';
