import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import pkg from '#package' with { type: 'json' };
import { createAccess, type Key } from './access/index.ts';
import { createLogos } from './badges/index.ts';
import { DEFAULT_POLICY } from './builds/index.ts';
import {
  type Config,
  type ConfiguredSource,
  configureSources,
  declaredKeys,
  type FreshnessConfig,
  type LoadedConfig,
} from './config/index.ts';
import { createFacts } from './definitions/index.ts';
import { createApp } from './http/app.ts';
import { buildsRouter } from './http/builds.ts';
import { type CiBadges, ciBadgesRouter, createCiBadges } from './http/ci-badges.ts';
import { definitionsRouter } from './http/definitions.ts';
import { createDrawings } from './http/drawing.ts';
import { createFront } from './http/front.ts';
import { KEEP_ALIVE_MS } from './http/head.ts';
import { healthRouter, metricsRouter } from './http/health.ts';
import { type Hook, hooksRouter } from './http/hooks.ts';
import { createLimits, type Limits } from './http/limits.ts';
import { ownersRouter } from './http/owners.ts';
import { createRequests } from './http/requests.ts';
import { createSite } from './http/site.ts';
import { createWarm } from './http/warm.ts';
import { createMetrics, type Metrics } from './observe/index.ts';
import { createUpstream, type Registry } from './providers/index.ts';
import { createResolver, DEFAULT_FRESHNESS, type Freshness, type Resolver } from './resolving/index.ts';
import { createPushSource, createRouting, createSource, type Routing, type Source } from './sources/index.ts';
import {
  announce,
  applicationOf,
  applicationTopic,
  editProject,
  listKeys,
  openStorage,
  recentChanges,
  type Storage,
  saveBuild,
} from './storage/index.ts';

export interface BadgeHostSettings {
  readonly loaded: LoadedConfig;
  /** The providers that sources may be of. */
  readonly providers: Registry;
  readonly log: Logger;
  /** Keys beside those of the configuration and the database. */
  readonly extraKeys?: readonly Key[];
  /** The other processes of this server, where there are any. */
  readonly others?: Others;
}

/** What a badge host may ask of the other processes of its server. */
export interface Others {
  /** Tells them at once of a change that they will find in the database. */
  tell(topic: string): Promise<void>;
  /** What all have counted together, this one too, as Prometheus reads it. */
  metricsOfAll(): Promise<string>;
}

/** A badge host: everything but listening. */
export interface BadgeHost {
  readonly server: Server;
  readonly routing: Routing;
  readonly resolver: Resolver;
  readonly storage: Storage;
  readonly badges: CiBadges;
  readonly metrics: Metrics;
  /** Takes note that another process changed something of a topic. */
  hear(topic: string): Promise<void>;
  /** Starts to listen where the configuration says; the address that it has then. */
  listen(): Promise<string>;
  /** Stops accepting, finishes what is under way, closes everything. */
  close(): Promise<void>;
}

/** How often another process's changes (keys, reported builds) are looked for. */
const CHANGES_EVERY_MS = 1_000;
/** How long `close` waits for what is under way. */
const FAREWELL_MS = 10_000;

/**
 * Makes a badge host of a configuration.
 * @throws ConfigError, StorageError
 */
export async function createBadgeHost({
  loaded,
  providers,
  log,
  extraKeys = [],
  others,
}: BadgeHostSettings): Promise<BadgeHost> {
  const { config } = loaded;
  const configured = await configureSources(loaded, providers);
  const storage = await openStorage(config.database);
  const { database } = storage;
  const metrics = createMetrics(others?.metricsOfAll);
  const routing = createRoutingOf(config, configured, createPushSource(database), log, metrics);
  const resolver = createResolver({
    entries: config.cache.entries,
    freshness: toFreshness(config.freshness),
    freshnessOf: {
      push: REPORTED,
      ...Object.fromEntries(
        configured.map(({ name, freshness }) => [name, toFreshness({ ...config.freshness, ...freshness })]),
      ),
    },
    onBug: (error) => log.error({ err: error }, 'internal error while asking a source'),
    onFailure: (source, error) => log.warn({ source, reason: error.reason }, error.message),
  });
  // Read before the keys: what changes in between is then heard of.
  const known = await recentChanges(database);
  const access = createAccess(await allKeys(), config.access.anonymous);
  const changes = followChanges(storage, log, known, hear);
  let closing = false;

  async function hear(topic: string): Promise<void> {
    if (topic === 'keys') access.replace(await allKeys());
    const changed = applicationOf(topic);
    if (changed) resolver.expire(...changed);
  }

  /** Here and, through the database, in every other process. */
  async function expire(source: string, application?: string): Promise<void> {
    resolver.expire(source, application);
    const topic = applicationTopic(source, application);
    await announce(database, topic);
    await others?.tell(topic);
  }

  async function allKeys(): Promise<readonly Key[]> {
    return [...declaredKeys(config), ...extraKeys, ...((await listKeys(database)) as readonly Key[])];
  }

  const badges = createCiBadges({ access, routing, resolver, drawings: createDrawings(), logos: createLogos() });
  const requests = createRequests(log, metrics);
  const warm = createWarm({ maxBytes: config.cache.warmBytes, requests });
  metrics.gauge('signalbox_warm_answers', 'Answers that are kept ready.', () => warm.size);
  metrics.gauge('signalbox_warm_bytes', 'What they take, in bytes.', () => warm.bytes);
  const site = createSite(config.server.publicUrl, config.server.basePath);
  const app = createApp({
    basePath: config.server.basePath,
    trustProxy: config.server.trustProxy,
    log,
    requests,
    routers: [
      definitionsRouter({ database, access, badges, site, facts: createFactsOf(storage, routing, log) }),
      ownersRouter({ database, access, site, hasSource: (name) => routing.sourceOf(name) !== undefined }),
      ciBadgesRouter(badges),
      buildsRouter(access, async (build) => {
        await saveBuild(database, build);
        await expire('push', build.application);
      }),
      hooksRouter(hooksOf(configured), (source, { application }) => expire(source, application)),
      healthRouter(async () => !closing && (await answers(storage))),
      metricsRouter(access, config.access.metrics, metrics),
    ],
  });
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS },
    createFront({ basePath: config.server.basePath, warm, badges, requests, log, limits: createLimitsOf(config), app }),
  );

  return {
    server,
    routing,
    resolver,
    storage,
    badges,
    metrics,
    hear,
    listen: () => listen(server, config),
    async close() {
      closing = true;
      changes.stop();
      await finish(server);
      await Promise.all(routing.sources.map((source) => source.close()));
      await storage.close();
    },
  };
}

/** The facts of projects from their sources; what was learnt is kept where it differs from what was known. */
function createFactsOf({ database }: Storage, routing: Routing, log: Logger) {
  return createFacts({
    sourceOf: routing.sourceOf,
    keep: async (project, facts) => {
      const isNew = Object.entries(facts).some(([name, value]) => project[name as keyof typeof facts] !== value);
      if (isNew) await editProject(database, project.id, facts);
    },
    onFailure: (source, error) => log.warn({ source, err: error }, 'the facts of a project could not be asked for'),
  });
}

function createLimitsOf({ server: { requestsPerMinute, trustProxy } }: Config): Limits | undefined {
  return requestsPerMinute === undefined ? undefined : createLimits({ perMinute: requestsPerMinute, trustProxy });
}

/** The hooks of the sources that have a secret for them and whose backend sends any. */
function hooksOf(configured: readonly ConfiguredSource[]): (source: string) => Hook | undefined {
  const hooks = configured.flatMap(({ name, definition, webhookSecret }): [string, Hook][] => {
    return definition.webhook && webhookSecret ? [[name, { webhook: definition.webhook, secret: webhookSecret }]] : [];
  });
  const byName = new Map(hooks);
  return (source) => byName.get(source);
}

/** Reported builds lie at hand: asking costs nothing, and a report makes them stale at once. */
const REPORTED: Freshness = { ...DEFAULT_FRESHNESS, movingStaleMs: 10_000, settledStaleMs: 60_000 };

function createRoutingOf(
  config: Config,
  configured: readonly ConfiguredSource[],
  push: Source,
  log: Logger,
  metrics: Metrics,
): Routing {
  const routed = configured.map((source) => ({
    source: createConfiguredSource(config, source, log, metrics),
    ...(source.applications && { patterns: source.applications }),
  }));
  const aliases = Object.entries(config.applications).map(([name, { source, ...query }]) => [name, { source, query }]);
  return createRouting([...routed, { source: push }], Object.fromEntries(aliases));
}

/** A source as configured, with its way out to the network. */
export function createConfiguredSource(
  config: Config,
  configured: ConfiguredSource,
  log: Logger,
  metrics?: Metrics,
): Source {
  const { name, definition, options, url, webUrl, scanLimit, timeoutSeconds } = configured;
  return createSource({
    name,
    provider: definition,
    options,
    upstream: createUpstream({
      origin: url === undefined ? '' : new URL(url).origin,
      userAgent: `signalbox/${pkg.version}`,
      onRequest: ({ status, durationMs }) => metrics?.upstreamRequest(name, status, durationMs / 1000),
      ...(timeoutSeconds !== undefined && { timeoutMs: timeoutSeconds * 1000 }),
      ...(configured.maxBytes !== undefined && { maxBytes: configured.maxBytes }),
      ...(configured.concurrency !== undefined && { concurrency: configured.concurrency }),
      ...(configured.ca !== undefined && { ca: configured.ca }),
      ...(configured.insecure !== undefined && { insecure: configured.insecure }),
      ...(configured.proxy !== undefined && { proxy: configured.proxy }),
    }),
    policy: { ...DEFAULT_POLICY, ...config.policy, ...configured.policy },
    ...(url !== undefined && { url }),
    ...(webUrl !== undefined && { webUrl }),
    ...(scanLimit !== undefined && { scanLimit }),
    log: (message) => log.warn(message),
  });
}

/** The freshness table with what the configuration says otherwise; there in seconds, here in milliseconds. */
function toFreshness(options: FreshnessConfig | undefined): Freshness {
  const entries = Object.entries(options ?? {}).filter(([, seconds]) => seconds !== undefined);
  const given = entries.map(([name, seconds]) => [name.replace(/Seconds$/, 'Ms'), seconds * 1000]);
  return { ...DEFAULT_FRESHNESS, ...Object.fromEntries(given) };
}

/** Tells of every topic that was announced since `before`, until it is stopped. */
function followChanges(
  storage: Storage,
  log: Logger,
  before: ReadonlyMap<string, number>,
  onChange: (topic: string) => Promise<void>,
) {
  const known = new Map(before);
  let stopped = false;
  const look = async () => {
    try {
      const now = await recentChanges(storage.database);
      for (const [topic, version] of now) if (known.get(topic) !== version) await onChange(topic);
      for (const [topic, version] of now) known.set(topic, version);
    } catch (error) {
      log.error({ err: error }, 'the database cannot be asked for changes');
    }
    if (!stopped) timer = setTimeout(look, CHANGES_EVERY_MS).unref();
  };
  let timer = setTimeout(look, CHANGES_EVERY_MS).unref();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

async function answers({ database }: Storage): Promise<boolean> {
  return recentChanges(database).then(
    () => true,
    () => false,
  );
}

async function listen(server: Server, { server: { host, port, basePath } }: Config): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${actual}${basePath === '/' ? '' : basePath}`;
}

async function finish(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  // A connection that is kept alive idles only once its answer is sent.
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const farewell = setTimeout(() => server.closeAllConnections(), FAREWELL_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(farewell);
}
