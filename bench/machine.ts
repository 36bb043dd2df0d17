import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The core of the servers, and that of those who load them. */
export const SERVER_CORE = '0';
const LOAD_CORE = '1';

export const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));

/** A process that was started for a measurement. */
export interface Started {
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** Starts a Node program on a core and waits until an address answers. */
export async function start(core: string, args: readonly string[], ready: string, environment = {}): Promise<Started> {
  const child = spawn('taskset', ['-c', core, process.execPath, ...args], {
    stdio: 'ignore',
    env: { ...process.env, ...environment },
  });
  const stop = async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.kill('SIGKILL')) await ended;
  };
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const answer = await fetch(ready).catch(() => undefined);
    if (answer?.ok) {
      await answer.arrayBuffer();
      return { process: child, stop };
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await stop();
  throw new Error(`${ready} did not answer`);
}

/** What to load: an address, or many that Lua numbers from 1 (`%d` in the path). */
export interface Target {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Numbers the path, round and round below this; without end when 0. */
  readonly distinct?: number;
}

export interface Slice {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly bad: number;
}

/** Loads all targets at once for a second, from the other core, with so many connections each. */
export async function load(targets: readonly Target[], connections = 32, seconds = 1): Promise<readonly Slice[]> {
  return Promise.all(targets.map((target, index) => runWrk(target, index, connections, seconds)));
}

let offset = 0;

async function runWrk(target: Target, index: number, connections: number, seconds: number): Promise<Slice> {
  const { origin } = new URL(target.url);
  const path = target.url.slice(origin.length);
  const lines = Object.entries(target.headers ?? {}).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  if (target.distinct !== undefined) {
    offset += 1_000_000;
    const next = target.distinct === 0 ? `i = i + 1` : `i = i % ${target.distinct} + 1`;
    lines.push(
      `i = ${target.distinct === 0 ? offset : 0}`,
      `function request() ${next}; return wrk.format(nil, (string.gsub(${JSON.stringify(path)}, "%%d", i))) end`,
    );
  }
  const script = join(folder, `load-${index}.lua`);
  writeFileSync(script, `${lines.join('\n')}\n`);
  const args = [
    '-c',
    LOAD_CORE,
    'wrk',
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--latency',
    '-s',
    script,
    target.url,
  ];
  const child = spawn('taskset', args);
  let output = '';
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  if (complaint !== '') throw new Error(`wrk: ${complaint}`);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1] ?? 0),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(output)),
    bad: Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0),
  };
}

function milliseconds(found: RegExpExecArray | null): number {
  const [, value = '0', unit = 'ms'] = found ?? [];
  return Number(value) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? 1);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** @throws Error that says what is missing */
export function demandTools(): void {
  for (const tool of ['wrk', 'taskset']) {
    if (spawnSync('which', [tool]).status !== 0)
      throw new Error(`the benchmark needs ${tool} (Debian: wrk, util-linux)`);
  }
}
