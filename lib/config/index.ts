/** The configuration: what it may say, and how it is read. */
export * from './explain.ts';
export * from './load.ts';
export * from './providers.ts';
export * from './schema.ts';
