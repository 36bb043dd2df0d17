/** Configured backends, and the choice among them. */
export * from './push.ts';
export * from './routing.ts';
export * from './source.ts';
