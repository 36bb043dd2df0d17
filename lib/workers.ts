import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Config, ConfigError } from './config/index.ts';
import type { BadgeHost, Others } from './host.ts';
import { type MetricValues, sumOf } from './observe/index.ts';

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
  /** What is counted is asked for: by a worker what all have counted, of a worker what it has. */
  | { readonly type: 'metrics'; readonly id: number }
  /** The topic of that id was heard by all who had to, or this is what was asked for. */
  | { readonly type: 'answer'; readonly id: number; readonly answer?: unknown };

interface Listening {
  readonly address: string;
  readonly sources: number;
}

/** What may come from the process at the other end of a line. */
interface Ears {
  topic(topic: string): Promise<void>;
  metrics(): Promise<unknown>;
}

/** A line to another process. Who is gone or takes too long gives no answer. */
interface Line<Counted> {
  tell(topic: string): Promise<void>;
  metrics(): Promise<Counted | undefined>;
}

/** By this name of their environment workers learn the digest of the key that the server has for itself. */
const OWN_KEY = 'SIGNALBOX_OWN_KEY';
/** Who does not answer in this time finds a change in the database, and is left out of what is counted. */
const ANSWER_WITHIN_MS = 1_000;
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
 * Starts workers that serve in this process's stead, each with the same command line. This process listens for them,
 * tells each what the others changed, and starts another in place of one that ends.
 * @throws ConfigError when they could not share the database
 * @throws WorkerError when one of them cannot serve
 */
export async function startWorkers({ count, config, ownKey, log }: WorkersSettings) {
  if (isPrivate(config.database)) {
    throw new ConfigError(
      `database: ${config.database} would be another one in each of ${count} workers: sqlite:<path> or postgres://user@host/name was wanted`,
    );
  }
  // Who is free takes a connection. One that is handed out stays open without an answer where its worker is killed then.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
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
  createHost: (ownKey: string | undefined, others: Others) => Promise<BadgeHost>,
): Promise<void> {
  try {
    const ears = { topic: (topic: string) => host.hear(topic), metrics: () => host.metrics.values() };
    // The other end waits for all workers before it answers.
    const line = openLine<string>(worker, ears, 2 * ANSWER_WITHIN_MS);
    const host = await createHost(process.env[OWN_KEY], {
      tell: line.tell,
      async metricsOfAll() {
        const text = await line.metrics();
        if (text === undefined) throw new Error('the process that started this one does not answer');
        return text;
      },
    });
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
  const lines = new Map<Worker, Line<MetricValues>>();
  const kept: Promise<void>[] = [];

  function fork(): Forked {
    const worker = cluster.fork(environment);
    const ears: Ears = {
      async topic(topic) {
        const others = [...lines].filter(([other]) => other !== worker);
        await Promise.all(others.map(([, other]) => other.tell(topic)));
      },
      async metrics() {
        const counted = await Promise.all([...lines.values()].map((one) => one.metrics()));
        return sumOf(counted.filter((values) => values !== undefined));
      },
    };
    const line = openLine<MetricValues>(worker, ears, ANSWER_WITHIN_MS);
    worker.once('disconnect', () => lines.delete(worker));
    const ended: Forked['ended'] = new Promise((end) => {
      const { pid } = worker.process;
      worker.once('exit', (code, signal) => end({ pid, code, signal }));
      // It could not even be started.
      if (pid === undefined) end({});
    });
    const listening: Forked['listening'] = new Promise((found) => {
      worker.on('message', (message: Message) => {
        if (message.type === 'ready') lines.set(worker, line);
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

/** A line to another process: what comes from there goes to `ears`, what is said here waits so long for an answer. */
function openLine<Counted>(worker: Worker, ears: Ears, withinMs: number): Line<Counted> {
  const waiting = new Map<number, (answer?: unknown) => void>();
  let count = 0;
  worker.on('message', async (message: Message) => {
    if (message.type === 'answer') waiting.get(message.id)?.(message.answer);
    if (message.type !== 'topic' && message.type !== 'metrics') return;
    const answer = message.type === 'topic' ? ears.topic(message.topic) : ears.metrics();
    // Who could not hear of a change, finds it in the database.
    send(worker, { type: 'answer', id: message.id, answer: await answer.catch(() => undefined) });
  });
  worker.once('disconnect', () => {
    for (const done of waiting.values()) done();
  });
  // A message that did not arrive: the other process is ending, and that is seen by whom it concerns.
  worker.on('error', () => {});
  const answerTo = (toMessage: (id: number) => Message) =>
    new Promise<unknown>((resolve) => {
      count += 1;
      const id = count;
      const done = (answer?: unknown) => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(done, withinMs);
      waiting.set(id, done);
      send(worker, toMessage(id));
    });
  return {
    tell: async (topic) => void (await answerTo((id) => ({ type: 'topic', id, topic }))),
    metrics: async () => (await answerTo((id) => ({ type: 'metrics', id }))) as Counted | undefined,
  };
}

function send(worker: Worker, message: Message): void {
  worker.send(message, () => {});
}

/** Whether no other process would see what is in a database. */
function isPrivate(url: string): boolean {
  return ['sqlite::memory:', 'sqlite:'].includes(url);
}
