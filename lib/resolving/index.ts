/** What is known of builds, how long it holds, and what makes it stale. */
export * from './freshness.ts';
export * from './resolver.ts';
export * from './stamp.ts';
