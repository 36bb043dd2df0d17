/** What the operator sees. */
export * from './log.ts';
export * from './metrics.ts';
