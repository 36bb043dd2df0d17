import { readFileSync, writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { Logger } from 'pino';
import pkg from '#package' with { type: 'json' };
import { providers } from '../plugins/index.ts';
import { digestOf, type Key, newKeyText, SCOPES, type Scope } from './access/index.ts';
import type { Argument } from './builds/index.ts';
import { ConfigError, configureSources, type Environment, type LoadedConfig, loadConfig } from './config/index.ts';
import type { Others } from './host.ts';
import { createLog } from './observe/index.ts';
import type { Provider } from './providers/index.ts';
import { addKey, listKeys, openStorage, removeKey, type Storage } from './storage/index.ts';

const environment: Environment = process.env;
const MOST_WORKERS = 64;
const say = (text: string) => process.stdout.write(`${text}\n`);

const program = new Command('signalbox')
  .description('A self-hosted badge host for builds')
  .version(pkg.version)
  .option(
    '-c, --config <file>',
    'configuration (else SIGNALBOX_CONFIG, else ./signalbox.yaml, else built-in defaults)',
  );

const load = () => loadConfig(program.opts<{ config?: string }>().config, environment);

program
  .command('serve', { isDefault: true })
  .description('serve badges')
  .option('--workers <count>', 'in so many processes', toWorkerCount, 1)
  .action(({ workers }: { workers: number }) => serve(load(), workers));

program
  .command('demo')
  .description('serve badges of recorded answers of every provider: needs no CI')
  .option('-p, --port <port>', 'where to listen', '8080')
  .action(async ({ port }: { port: string }) => {
    const { demoAddress, startDemo } = await import('./demo.ts');
    const demo = await startDemo(providers, Number(port));
    const log = createLog(demo.config.log.level);
    const { address, close } = await start({ config: demo.config }, log);
    const stopped = untilStopped(log, close);
    demo.show(address);
    const seen = new Map<string, string[]>();
    for (const badge of demo.badges) {
      const image = demoAddress(address, badge, 'image');
      const response = await fetch(image);
      const state = response.headers.get('badge-state') ?? 'unknown';
      seen.set(state, [...(seen.get(state) ?? []), image]);
    }
    for (const [state, images] of seen) say(`\n${state} (${images.length})\n${images.slice(0, 5).join('\n')}`);
    say(`\nAll of them, each linked to its build: ${demo.page}`);
    await stopped;
    await demo.close();
  });

program
  .command('check')
  .description('read the configuration and say what is wrong with it')
  .option('--ask', 'also ask every source whether it answers')
  .action(async ({ ask }: { ask?: boolean }) => {
    const loaded = load();
    const configured = await configureSources(loaded, providers);
    say(
      `${loaded.file ?? 'the built-in defaults'}: ${configured.length} sources, ${loaded.config.keys.length} declared keys: well`,
    );
    if (!ask) return;
    const { createConfiguredSource } = await import('./host.ts');
    const { probe } = await import('./probe.ts');
    const log = createLog('silent');
    for (const source of configured) {
      const { well, text } = await probe(createConfiguredSource(loaded.config, source, log), loaded.config);
      say(`${source.name} (${source.provider}): ${text}`);
      if (!well) process.exitCode = 1;
    }
  });

program
  .command('badge')
  .description(
    "resolve a build query and print its state, or write the badge: signalbox badge '$ApplicationName=acme/web' '$Branch=main' source=ci",
  )
  .argument('<argument...>', 'name=value, as in the query string of /api/ci-badges/image')
  .option('-o, --output <file>', 'write the badge here, in the format of format=svg|json|txt|endpoint')
  .action(async (texts: string[], { output }: { output?: string }) => {
    const { createBadgeHost } = await import('./host.ts');
    const key = newKeyText();
    const log = createLog('silent');
    const extraKeys = [ownKey(digestOf(key), ['badges'])];
    const host = await createBadgeHost({ loaded: load(), providers, log, extraKeys });
    const args = texts.map(toArgument);
    const answer = await host.badges.image({ args, key: { text: key, inAddress: false } });
    await host.close();
    const state = answer.head.get('Badge-State') ?? 'unknown';
    const reason = answer.head.get('Badge-Reason');
    const detail = answer.head.get('Badge-Detail');
    if (output !== undefined && answer.drawing) writeFileSync(output, answer.drawing.body);
    else say(args.some(([name]) => name === 'format') ? (answer.drawing?.body ?? '').trimEnd() : state);
    if (reason) process.stderr.write(`${reason}${detail ? `: ${detail}` : ''}\n`);
    if (reason && reason !== 'duplicate-argument') process.exitCode = 1;
  });

const keys = program.command('keys').description('API keys kept in the database');

keys
  .command('create')
  .description('make a key and show it, once')
  .argument('<name>')
  .addOption(new Option('-s, --scope <scope...>', 'what it may do').choices(SCOPES).default(['badges']))
  .option('--source <name...>', 'only these sources')
  .option('--application <pattern...>', 'only these applications; * stands for any text')
  .option('--expires <date>', 'the day or moment from which it does not work any more, ISO 8601')
  .action((name: string, options: { scope: Scope[]; source?: string[]; application?: string[]; expires?: string }) =>
    withStorage(async ({ database }) => {
      const expiresAt = options.expires === undefined ? undefined : new Date(options.expires);
      if (expiresAt && Number.isNaN(expiresAt.getTime()))
        throw new ConfigError(`--expires ${options.expires} is no date: 2027-01-31 would be one`);
      const text = newKeyText();
      const added = await addKey(database, {
        name,
        digest: digestOf(text),
        scopes: options.scope,
        ...(options.source && { sources: options.source }),
        ...(options.application && { applications: options.application }),
        ...(expiresAt && { expiresAt }),
        createdAt: new Date(),
      });
      if (!added) throw new ConfigError(`there is a key \`${name}\` already: revoke it first, or take another name`);
      say(text);
    }),
  );

keys
  .command('list')
  .description('names, scopes and limits; never the keys')
  .action(() =>
    withStorage(async ({ database }) => {
      for (const { name, scopes, sources, applications, expiresAt, createdAt } of await listKeys(database)) {
        const limits = [
          sources && `sources ${sources.join(', ')}`,
          applications && `applications ${applications.join(', ')}`,
          expiresAt && `until ${expiresAt.toISOString()}`,
        ].filter((limit) => limit !== undefined);
        say([name, scopes.join(' '), ...limits, `made ${createdAt.toISOString()}`].join('; '));
      }
    }),
  );

keys
  .command('revoke')
  .description('remove a key; running servers hear of it within a second')
  .argument('<name>')
  .action((name: string) =>
    withStorage(async ({ database }) => {
      if (!(await removeKey(database, name))) throw new ConfigError(`there is no key \`${name}\``);
      say(`${name} is revoked`);
    }),
  );

const definitions = program.command('definitions').description('badge definitions as code');

definitions
  .command('export')
  .description('print all projects and groups with their badges as YAML')
  .action(() =>
    withStorage(async ({ database }) => {
      const { exportDefinitions } = await import('./definitions/index.ts');
      process.stdout.write(await exportDefinitions(database));
    }),
  );

definitions
  .command('import')
  .description('make the database say what a YAML file says; - reads standard input')
  .argument('<file>')
  .option('--dry-run', 'only say what would change')
  .option('--prune', 'also remove what the file does not name')
  .action((file: string, options: { dryRun?: boolean; prune?: boolean }) =>
    withStorage(async ({ database }) => {
      const { importDefinitions } = await import('./definitions/index.ts');
      const steps = await importDefinitions(database, readInput(file), options);
      say(steps.length === 0 ? 'nothing changes' : steps.join('\n'));
    }),
  );

const providersCommand = program
  .command('providers')
  .description('which providers there are, with their filters; one of them with its options')
  .argument('[id]')
  .action(async (id?: string) => {
    if (id === undefined) {
      for (const name of Object.keys(providers).sort()) {
        const { title, filters } = await providerOf(name);
        say(`${name.padEnd(18)} ${title.padEnd(28)} ${filters.join(' ')}`);
      }
      return;
    }
    const { describeProvider } = await import('./providers/describe.ts');
    say(describeProvider(await providerOf(id)));
  });

providersCommand
  .command('new')
  .description('write the files of a new provider into this clone of Signalbox, ready to fill in')
  .argument('<id>', 'lower-case letters, digits and dashes')
  .action(async (id: string) => {
    const { scaffoldProvider } = await import('./scaffold.ts');
    say(scaffoldProvider('.', id).join('\n'));
    say(`\nNow record an answer, npx mocha -g 'provider ${id}' says which; docs/adding-a-provider.md goes on.`);
  });

/** Serves until a signal says to stop. */
async function serve(loaded: LoadedConfig, count: number): Promise<void> {
  const log = createLog(loaded.config.log.level);
  const workers = count > 1 ? await import('./workers.ts') : undefined;
  if (workers?.thisWorker) {
    return workers.work(workers.thisWorker, (own, others) => createHost(loaded, log, own, others));
  }
  const key = loaded.file === undefined && (await hasNoKeys(loaded)) ? newKeyText() : undefined;
  const own = key === undefined ? undefined : digestOf(key);
  const { address, close } = workers
    ? await workers.startWorkers({ count, config: loaded.config, ownKey: own, log })
    : await start(loaded, log, own);
  if (key !== undefined) sayFirstSteps(address, key);
  await untilStopped(log, close);
}

/** Serves in this process. */
async function start(loaded: LoadedConfig, log: Logger, own?: string) {
  const host = await createHost(loaded, log, own);
  const address = await host.listen();
  log.info({ address, sources: host.routing.sources.length }, 'listening');
  return { address, close: () => host.close() };
}

/** A badge host, with a key of its own where the digest of one is given. */
async function createHost(loaded: LoadedConfig, log: Logger, own?: string, others?: Others) {
  const { createBadgeHost } = await import('./host.ts');
  const extraKeys = own === undefined ? [] : [ownKey(own, ['badges', 'push'])];
  return createBadgeHost({ loaded, providers, log, extraKeys, others });
}

/** Waits for a signal, closes, and ends then; another signal ends the process as it stands. */
async function untilStopped(log: Logger, close: () => Promise<void>): Promise<void> {
  const signal = await new Promise((stop) => process.once('SIGINT', stop).once('SIGTERM', stop));
  log.info({ signal }, 'stopping');
  await close();
}

/** Two lines to copy: what makes a newcomer's first badge. */
function sayFirstSteps(address: string, key: string): void {
  say(
    `\nReport a build:\ncurl -H 'X-ApiKey: ${key}' -d application=hello -d build=1 -d state=success ${address}/api/builds`,
  );
  say(`Its badge:\n${address}/api/ci-badges/image?key=${key}&$ApplicationName=hello\n`);
  say('This key works until the server stops; `npx signalbox keys create` makes one that stays.\n');
}

function ownKey(digest: string, scopes: readonly Scope[]): Key {
  return { name: 'own', digest, scopes };
}

async function hasNoKeys({ config }: LoadedConfig): Promise<boolean> {
  return config.keys.length === 0 && withStorage(async ({ database }) => (await listKeys(database)).length === 0);
}

async function withStorage<Result>(use: (storage: Storage) => Promise<Result>): Promise<Result> {
  const storage = await openStorage(load().config.database);
  try {
    return await use(storage);
  } finally {
    await storage.close();
  }
}

function toWorkerCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_WORKERS)
    throw new ConfigError(`--workers ${text}: a whole number from 1 to ${MOST_WORKERS} was wanted`);
  return count;
}

function readInput(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch {
    throw new ConfigError(`${file} cannot be read`);
  }
}

async function providerOf(id: string): Promise<Provider> {
  const registered = Object.hasOwn(providers, id) ? providers[id] : undefined;
  if (!registered)
    throw new ConfigError(`there is no provider \`${id}\`; there are ${Object.keys(providers).sort().join(', ')}`);
  return (await registered()).default;
}

function toArgument(text: string): Argument {
  const split = text.indexOf('=');
  if (split < 1)
    throw new ConfigError(`\`${text}\` is no argument: name=value was wanted, such as '$ApplicationName=acme/web'`);
  return [text.slice(0, split), text.slice(split + 1)];
}

try {
  await program.parseAsync();
} catch (error) {
  if (!isExpected(error)) throw error;
  process.stderr.write(`signalbox: ${error.message}\n`);
  process.exitCode = 1;
}

/** What the operator can mend needs no stack trace. */
function isExpected(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const codes = ['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES'];
  return (
    ['ConfigError', 'StorageError', 'ExchangeError', 'WorkerError'].includes(error.name) ||
    ('code' in error && codes.includes(String(error.code)))
  );
}
