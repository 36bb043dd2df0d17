import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Config, ConfigError } from './config/index.ts';
import type { BadgeHost, BadgeHostSettings } from './host.ts';

/** A worker ended before it served; it has said itself why. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
}

/** What the processes say to each other. */
type Message =
  /** A worker is about to listen: whatever it may know from now on, it has to hear of changes. */
  | { readonly type: 'ready' }
  | ({ readonly type: 'listening' } & Listening)
  /** Something of a topic changed. */
  | { readonly type: 'topic'; readonly id: number; readonly topic: string }
  /** The topic of that id was heard by all who had to. */
  | { readonly type: 'heard'; readonly id: number };

interface Listening {
  readonly address: string;
  readonly sources: number;
}

type Tell = NonNullable<BadgeHostSettings['tell']>;

/** By this name of their environment workers learn the digest of the key that the server has for itself. */
const OWN_KEY = 'SIGNALBOX_OWN_KEY';
/** A change is in the database too, where who does not answer in this time finds it. */
const HEARD_WITHIN_MS = 1_000;
/** A worker that ends sooner may well do so again. */
const SOON_MS = 10_000;
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

/** This process as a worker; `undefined` in the one that starts them. */
export const thisWorker: Worker | undefined = cluster.worker;

export interface WorkersSettings {
  readonly count: number;
  readonly config: Config;
  /** The digest of a key beside those of the configuration and the database. */
  readonly ownKey?: string;
  readonly log: Logger;
}

/**
 * Starts workers that serve in this process's stead, each with the same command line. This process hands them their
 * connections in turn, tells each what the others changed, and starts another in place of one that ends.
 * @throws ConfigError when they could not share the database
 * @throws WorkerError when one of them cannot serve
 */
export async function startWorkers({ count, config, ownKey, log }: WorkersSettings) {
  if (isPrivate(config.database)) {
    throw new ConfigError(
      `database: ${config.database} would be another one in each of ${count} workers: sqlite:<path> or postgres://user@host/name was wanted`,
    );
  }
  cluster.schedulingPolicy = cluster.SCHED_RR;
  const crew = createCrew({ [OWN_KEY]: ownKey }, log);
  try {
    // The first one alone: what keeps it from serving would keep all, and is said once.
    const { address, sources } = await crew.add();
    await Promise.all(Array.from({ length: count - 1 }, crew.add));
    log.info({ address, sources, workers: count }, 'listening');
    return { address, close: crew.close };
  } catch (error) {
    await crew.close();
    throw error;
  }
}

/**
 * Serves as a worker until a signal says to stop; each may come twice, from a terminal or systemd and from the process
 * that started us. When that one is gone without a word, Node ends this one.
 */
export async function work(
  worker: Worker,
  createHost: (settings: { ownKey: string | undefined; tell: Tell }) => Promise<BadgeHost>,
): Promise<void> {
  try {
    const tell = openLine(worker, (topic) => host.hear(topic));
    const host = await createHost({ ownKey: process.env[OWN_KEY], tell });
    send(worker, { type: 'ready' });
    const address = await host.listen();
    send(worker, { type: 'listening', address, sources: host.routing.sources.length });
    await new Promise((stop) => process.on('SIGINT', stop).on('SIGTERM', stop));
    await host.close();
  } finally {
    worker.disconnect();
  }
}

interface Forked {
  /** `undefined` when it ended before. */
  readonly listening: Promise<Listening | undefined>;
  readonly ended: Promise<{ readonly pid?: number; readonly code?: number; readonly signal?: string }>;
}

function createCrew(environment: Readonly<Record<string, string | undefined>>, log: Logger) {
  const closing = new AbortController();
  const tells = new Map<Worker, Tell>();
  const kept: Promise<void>[] = [];

  function fork(): Forked {
    const worker = cluster.fork(environment);
    const tell = openLine(worker, async (topic) => {
      const others = [...tells].filter(([other]) => other !== worker);
      await Promise.all(others.map(([, tellOther]) => tellOther(topic)));
    });
    worker.once('disconnect', () => tells.delete(worker));
    const ended: Forked['ended'] = new Promise((end) => {
      const { pid } = worker.process;
      worker.once('exit', (code, signal) => end({ pid, code, signal }));
      // It could not even be started.
      if (pid === undefined) end({});
    });
    const listening: Forked['listening'] = new Promise((found) => {
      worker.on('message', (message: Message) => {
        if (message.type === 'ready') tells.set(worker, tell);
        if (message.type === 'listening') found(message);
      });
      ended.then(() => found(undefined));
    });
    return { listening, ended };
  }

  /** Starts another in the place of a worker that ended: at once, or after a growing pause where it always ends soon. */
  async function keep(first: Forked): Promise<void> {
    let pauseMs = 0;
    for (let worker = first; ; worker = fork()) {
      const startedAt = performance.now();
      const how = await worker.ended;
      pauseMs = pauseAfter(performance.now() - startedAt, pauseMs);
      if (!closing.signal.aborted) log.warn({ worker: how, pauseMs }, 'a worker ended: another takes its place');
      await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => {});
      if (closing.signal.aborted) return;
    }
  }

  return {
    /** Starts a worker, and sees to it from when it listens. */
    async add(): Promise<Listening> {
      const worker = fork();
      const listening = await worker.listening;
      if (!listening) throw new WorkerError('a worker ended before it listened');
      kept.push(keep(worker));
      return listening;
    },
    /** Lets all finish what is under way, and end. */
    async close(): Promise<void> {
      closing.abort();
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
      await Promise.all(kept);
    },
  };
}

/** How long to wait before another takes the place of a worker, by how long that one lived and what the last pause was. */
export function pauseAfter(livedMs: number, lastMs: number): number {
  return livedMs < SOON_MS ? Math.min(lastMs * 2 || SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS) : 0;
}

/** Hears the topics that another process tells, and tells it others: until that has heard, or is gone, or takes too long. */
function openLine(worker: Worker, hear: (topic: string) => Promise<void>): Tell {
  const waiting = new Map<number, () => void>();
  let count = 0;
  worker.on('message', async (message: Message) => {
    if (message.type === 'heard') waiting.get(message.id)?.();
    if (message.type !== 'topic') return;
    // Who could not hear it, finds it in the database.
    await hear(message.topic).catch(() => {});
    send(worker, { type: 'heard', id: message.id });
  });
  worker.once('disconnect', () => {
    for (const done of waiting.values()) done();
  });
  // A message that did not arrive: the other process is ending, and that is seen by whom it concerns.
  worker.on('error', () => {});
  return (topic) =>
    new Promise((resolve) => {
      count += 1;
      const id = count;
      const done = () => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(done, HEARD_WITHIN_MS);
      waiting.set(id, done);
      send(worker, { type: 'topic', id, topic });
    });
}

function send(worker: Worker, message: Message): void {
  worker.send(message, () => {});
}

/** Whether no other process would see what is in a database. */
function isPrivate(url: string): boolean {
  return ['sqlite::memory:', 'sqlite:'].includes(url);
}
