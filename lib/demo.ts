import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Config, ConfigError, ConfigOptions, parseOptions } from './config/index.ts';
import { answersOf, type ProviderCase, type Registry, readFixture, typeOf } from './providers/index.ts';

/** A badge of the demo: one recorded answer of one provider. */
export interface DemoBadge {
  readonly provider: string;
  /** The source that has this answer, and no other. */
  readonly source: string;
  /** The arguments of the build query. */
  readonly arguments: string;
}

/** Recorded answers as real HTTP servers would give them, and a configuration that asks them. */
export interface Demo {
  readonly config: Config;
  readonly badges: readonly DemoBadge[];
  /** Address of the page with all badges; `host` is told to it once Signalbox listens. */
  readonly page: string;
  show(host: string): void;
  close(): Promise<void>;
}

interface Stage {
  readonly subject: ProviderCase;
  readonly situation: string;
}

/** The key of the demo's badges: that of BuildMaster's own documentation. */
export const DEMO_KEY = 'badges';

/**
 * Starts a server on loopback that plays the recorded answers of every provider.
 * @throws ConfigError where the recorded answers are not at hand
 */
export async function startDemo(providers: Registry, port: number): Promise<Demo> {
  const stages = await readStages(providers);
  let page = '';
  const server = createServer((request, response) => {
    if (!play(stages, request, response)) response.setHeader('Content-Type', 'text/html; charset=utf-8').end(page);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const badges = [...stages].map(([source, { subject, situation }]) => ({
    provider: subject.provider.id,
    source,
    arguments: toArguments(subject, situation),
  }));
  return {
    config: toConfig(stages, origin, port),
    badges,
    page: `${origin}/`,
    show: (host) => {
      page = drawPage(badges, host);
    },
    close: () => stop(server),
  };
}

/** One stage for every recorded answer that has an execution, by the name of its source. */
async function readStages(providers: Registry): Promise<ReadonlyMap<string, Stage>> {
  const stages = new Map<string, Stage>();
  for (const id of Object.keys(providers)) {
    const file = resolve('fixtures', id, 'case.ts');
    if (!existsSync(file))
      throw new ConfigError('the demo plays recorded answers, which come with the repository: run it there');
    const { subject } = (await import(pathToFileURL(file).href)) as { subject: ProviderCase };
    for (const [situation, given] of Object.entries(subject.executions)) {
      const expected = 'expect' in given ? given.expect : given;
      if (expected.length > 0) stages.set(nameOf(id, situation), { subject, situation });
    }
  }
  return stages;
}

function nameOf(id: string, situation: string): string {
  const words = situation.replace(/\.(json|xml|svg|txt)(?=#|$)/, '').replace(/[^\w-]+/g, '-');
  return `${id}.${words}`.slice(0, 64);
}

/** Every stage has its answers below its own name: `/<source>/<path as the backend has it>`. Says whether there is one. */
function play(stages: ReadonlyMap<string, Stage>, request: IncomingMessage, response: ServerResponse): boolean {
  const [, name = '', rest = ''] = /^\/([^/]+)(\/.*)$/.exec(request.url ?? '') ?? [];
  const stage = stages.get(decodeURIComponent(name));
  if (!stage) return false;
  const { subject, situation } = stage;
  const { first, body, also } = answersOf(subject, situation);
  const path = rest.split('?')[0] ?? rest;
  const other = also[rest] ?? also[path];
  if (path === first.path.split('?')[0] && (rest === first.path || other === undefined)) {
    response.setHeader('Content-Type', typeOf(situation));
    response.end(body);
  } else if (other !== undefined) {
    response.setHeader('Content-Type', typeOf(other));
    response.end(readFixture(subject.provider.id, other));
  } else {
    response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"message":"not found"}');
  }
  return true;
}

function toArguments(subject: ProviderCase, situation: string): string {
  const given = subject.executions[situation] ?? [];
  const query = ('expect' in given ? given.query : undefined) ?? subject.query;
  const args = new URLSearchParams();
  if (query.applicationId !== undefined) args.append('$ApplicationId', query.applicationId);
  else if (query.application !== '') args.append('$ApplicationName', query.application);
  const names = {
    release: '$ReleaseNumber',
    branch: '$Branch',
    tag: '$Tag',
    commit: '$GitCommit',
    build: '$BuildNumber',
    workflow: 'workflow',
    stage: 'stage',
    job: 'job',
  } as const;
  for (const [filter, name] of Object.entries(names)) {
    const value = query[filter as keyof typeof names];
    if (value !== undefined) args.append(name, value);
  }
  for (const [name, value] of Object.entries(query.variables ?? {})) args.append(`$${name}`, value);
  return args.toString().replaceAll('%24', '$');
}

/**
 * Sources that are asked only by name, and those of BuildMaster's documentation: `$ApplicationId=2`, `Windows` and
 * `InedoCore`.
 */
function toConfig(stages: ReadonlyMap<string, Stage>, origin: string, port: number): Config {
  const sources = [...stages].map(([name, { subject }]) => {
    const { url = origin, ...options } = subject.options as { url?: string };
    const path = new URL(url).pathname.replace(/\/$/, '');
    return {
      ...options,
      name,
      provider: subject.provider.id,
      url: `${origin}/${name}${path}`,
      applications: [`only ${name}`],
    };
  });
  const buildmaster = sources.find(({ name }) => name === 'buildmaster.deployments-succeeded');
  return parseOptions(ConfigOptions, {
    server: { port },
    database: 'sqlite::memory:',
    log: { level: 'warn' },
    keys: [{ name: 'demo', key: DEMO_KEY, scopes: ['badges'] }],
    sources: [...sources, ...(buildmaster ? [{ ...buildmaster, name: 'buildmaster', applications: undefined }] : [])],
    applications: {
      Windows: { source: 'buildmaster', application: 'ProfitCalculator' },
      InedoCore: { source: 'buildmaster', application: 'ProfitCalculator' },
    },
  });
}

/** The address of a demo badge or of its link. */
export function demoAddress(host: string, badge: DemoBadge, kind: 'image' | 'link'): string {
  return `${host}/api/ci-badges/${kind}?key=${DEMO_KEY}&source=${encodeURIComponent(badge.source)}&${badge.arguments}`;
}

function drawPage(badges: readonly DemoBadge[], host: string): string {
  const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  const rows = badges.map((badge) => {
    const image = `<img alt="" src="${escaped(demoAddress(host, badge, 'image'))}">`;
    return `<tr><td>${escaped(badge.provider)}<td>${escaped(badge.source)}<td><a href="${escaped(demoAddress(host, badge, 'link'))}">${image}</a>`;
  });
  return `<!doctype html><meta charset="utf-8"><title>Signalbox demo</title><style>body{font:14px sans-serif;margin:2em}td{padding:2px 1em 2px 0}</style>
<h1>Every provider, from recorded answers</h1><table>${rows.join('\n')}</table>`;
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  server.closeAllConnections();
  await closed;
}
