import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import { defineProvider, type Provider, type Registry } from '../providers/index.ts';
import { ConfigError, parseOptions } from './explain.ts';
import type { LoadedConfig } from './load.ts';
import { SourceOptions } from './schema.ts';

/** A source of the configuration with its provider loaded and its options checked. */
export interface ConfiguredSource extends z.output<typeof SourceOptions> {
  readonly definition: Provider;
  /** As the provider's schema read them. */
  readonly options: unknown;
  /** Root of the backend, by the provider's custom. */
  readonly url: string | undefined;
}

/**
 * The sources of a configuration; loads the providers that they need and no other.
 * @throws ConfigError
 */
export async function configureSources(loaded: LoadedConfig, builtIn: Registry): Promise<readonly ConfiguredSource[]> {
  const { config } = loaded;
  const registry = { ...builtIn, ...(await loadPlugins(loaded)) };
  const names = ['push', ...config.sources.map(({ name }) => name)];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice)
    throw new ConfigError(
      `sources: the name \`${twice}\` is taken${twice === 'push' ? ' by reported builds' : ' twice'}`,
    );
  for (const [alias, { source }] of Object.entries(config.applications)) {
    if (!names.includes(source))
      throw new ConfigError(`applications.${alias}: there is no source \`${source}\`; there are ${names.join(', ')}`);
  }
  return Promise.all(
    config.sources.map((entry, index) => configure(entry, `sources[${index}] (${entry.name})`, registry)),
  );
}

async function configure(entry: { provider: string }, place: string, registry: Registry): Promise<ConfiguredSource> {
  const load = Object.hasOwn(registry, entry.provider) ? registry[entry.provider] : undefined;
  if (!load) {
    const known = Object.keys(registry).sort().join(', ');
    throw new ConfigError(`${place}: there is no provider \`${entry.provider}\`; there are ${known}`);
  }
  const { default: definition } = await load();
  const common = Object.keys(SourceOptions.shape);
  const split = (own: boolean) =>
    Object.fromEntries(Object.entries(entry).filter(([key]) => common.includes(key) === own));
  const options = parseOptions(definition.options, split(false), place, common);
  const url = (options as { url?: string } | undefined)?.url;
  return { ...parseOptions(SourceOptions, split(true), place), definition, options, url };
}

/** Providers from outside: a file beside the configuration, or an installed package. */
async function loadPlugins({ config, file }: LoadedConfig): Promise<Registry> {
  const folder = file === undefined ? '.' : dirname(file);
  const loaded = await Promise.all(
    config.plugins.map(async (plugin): Promise<[string, () => Promise<{ default: Provider }>]> => {
      const target =
        plugin.startsWith('.') || plugin.startsWith('/') ? pathToFileURL(resolve(folder, plugin)).href : plugin;
      try {
        const provider: Provider = defineProvider((await import(target)).default);
        return [provider.id, async () => ({ default: provider })];
      } catch (error) {
        throw new ConfigError(`plugins: ${plugin} cannot be loaded: ${error instanceof Error ? error.message : error}`);
      }
    }),
  );
  return Object.fromEntries(loaded);
}
