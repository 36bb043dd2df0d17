/** The face of the package: a badge host of one's own, and providers of one's own. */
export * from './builds/index.ts';
export { type Config, ConfigError, type LoadedConfig, loadConfig } from './config/index.ts';
export { type BadgeHost, type BadgeHostSettings, createBadgeHost } from './host.ts';
export { createLog } from './observe/index.ts';
export * from './providers/index.ts';
export { StorageError } from './storage/index.ts';
