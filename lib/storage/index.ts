/** What is kept: keys, reported builds, definitions; on SQLite or PostgreSQL. */
export * from './builds.ts';
export * from './changes.ts';
export * from './database.ts';
export * from './definitions.ts';
export * from './keys.ts';
export * from './owners.ts';
