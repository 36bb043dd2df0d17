import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { digestOf, type Key } from '../access/index.ts';
import { ConfigError, parseOptions } from './explain.ts';
import { type Config, ConfigOptions } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A configuration and where it came from. */
export interface LoadedConfig {
  readonly config: Config;
  /** Absent for the built-in defaults. */
  readonly file?: string;
}

/**
 * The configuration: of `file`, else of `SIGNALBOX_CONFIG`, else of `./signalbox.yaml`, else the built-in defaults; then
 * what the environment says.
 * @throws ConfigError
 */
export function loadConfig(file: string | undefined, environment: Environment): LoadedConfig {
  const named = file ?? environment.SIGNALBOX_CONFIG;
  const found = named ?? (existsSync('signalbox.yaml') ? 'signalbox.yaml' : undefined);
  const raw = found === undefined ? {} : readYaml(found);
  const folder = found === undefined ? '.' : dirname(found);
  const config = parseOptions(
    ConfigOptions,
    withEnvironment(resolveReferences(raw, folder, environment, ''), environment),
  );
  return { config: withAdmin(config, environment), ...(found !== undefined && { file: resolve(found) }) };
}

function readYaml(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new ConfigError(`the configuration ${file} cannot be read`);
  }
  try {
    return parse(text) ?? {};
  } catch (error) {
    throw new ConfigError(`the configuration ${file} is no YAML: ${error instanceof Error ? error.message : error}`);
  }
}

/** Replaces `{ env: NAME }` and `{ file: path }` by what they stand for. */
function resolveReferences(value: unknown, folder: string, environment: Environment, path: string): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => resolveReferences(item, folder, environment, `${path}[${index}]`));
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const entries = Object.entries(value);
  const [[name, target] = []] = entries;
  if (entries.length === 1 && name === 'env' && typeof target === 'string') {
    const text = environment[target];
    if (text === undefined || text === '') throw new ConfigError(`${path}: the environment has no ${target}`);
    return text;
  }
  if (entries.length === 1 && name === 'file' && typeof target === 'string') {
    try {
      return readFileSync(resolve(folder, target), 'utf8').trimEnd();
    } catch {
      throw new ConfigError(`${path}: the file ${target} cannot be read`);
    }
  }
  const resolved = entries.map(([key, item]) => {
    return [key, resolveReferences(item, folder, environment, path === '' ? key : `${path}.${key}`)];
  });
  return Object.fromEntries(resolved);
}

/** The environment wins over the file, so that one image serves several places. */
function withEnvironment(value: unknown, environment: Environment): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const options = value as { server?: object; log?: object };
  const host = environment.SIGNALBOX_HOST;
  const port = environment.SIGNALBOX_PORT;
  const database = environment.SIGNALBOX_DATABASE_URL;
  const level = environment.SIGNALBOX_LOG_LEVEL;
  return {
    ...options,
    ...((host || port) && { server: { ...options.server, ...(host && { host }), ...(port && { port }) } }),
    ...(database && { database }),
    ...(level && { log: { ...options.log, level } }),
  };
}

function withAdmin(config: Config, environment: Environment): Config {
  const token = environment.SIGNALBOX_ADMIN_TOKEN;
  if (!token) return config;
  const admin = parseOptions(ConfigOptions.shape.keys, [
    { name: 'SIGNALBOX_ADMIN_TOKEN', key: token, scopes: ['admin'] },
  ]);
  return { ...config, keys: [...config.keys, ...admin] };
}

/** The keys that a configuration declares, by their digests. */
export function declaredKeys({ keys }: Config): readonly Key[] {
  return keys.map(({ key, ...rest }) => ({ ...rest, digest: digestOf(key.reveal()) }));
}
