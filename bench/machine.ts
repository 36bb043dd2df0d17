import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The core of the servers, and that of those who load them. */
export const SERVER_CORE = '0';
export const LOAD_CORE = '1';

export const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));

/** A process that was started for a measurement. */
export interface Started {
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** Starts a Node program, or another, on a core and waits until an address answers. */
export async function start(
  core: string,
  args: readonly string[],
  ready: string,
  program = process.execPath,
): Promise<Started> {
  const child = spawn('taskset', ['-c', core, program, ...args], {
    stdio: 'ignore',
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

/** What to load: an address, or many in which a number stands for `%d`. */
export interface Target {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Numbers the requests from 1 to this, round and round; without end, and never twice in a run, when 0. */
  readonly distinct?: number;
}

export interface Slice {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly bad: number;
}

export interface LoadSettings {
  readonly connections?: number;
  readonly seconds?: number;
  /** The cores of those who load. */
  readonly cores?: string;
}

/** Loads all targets at once, from the other core. */
export async function load(targets: readonly Target[], settings: LoadSettings = {}): Promise<readonly Slice[]> {
  return Promise.all(targets.map((target, index) => runWrk(target, index, settings)));
}

let asked = 0;

async function runWrk(target: Target, index: number, settings: LoadSettings): Promise<Slice> {
  const { connections = 32, seconds = 1, cores = LOAD_CORE } = settings;
  const script = join(folder, `load-${index}.lua`);
  writeFileSync(script, luaOf(target));
  const args = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script, target.url];
  const child = spawn('taskset', ['-c', cores, ...args]);
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

/** The request is laid out once; numbering it costs the generator as little as can be. */
function luaOf({ url, headers = {}, distinct }: Target): string {
  const path = url.slice(new URL(url).origin.length);
  const lines = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  if (distinct !== undefined) {
    if (distinct === 0) asked += 1_000_000;
    lines.push(
      `number = ${distinct === 0 ? asked : 0}`,
      'function init()',
      `  local text = wrk.format(nil, ${JSON.stringify(path)})`,
      '  local at = string.find(text, "%d", 1, true)',
      '  before, after = string.sub(text, 1, at - 1), string.sub(text, at + 2)',
      'end',
      'function request()',
      distinct === 0 ? '  number = number + 1' : `  number = number % ${distinct} + 1`,
      '  return before .. number .. after',
      'end',
    );
  }
  return `${lines.join('\n')}\n`;
}

function milliseconds(found: RegExpExecArray | null): number {
  const [, value = '0', unit = 'ms'] = found ?? [];
  return Number(value) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? 1);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** This process, too, is one of those who load. */
export function pinHere(): void {
  spawnSync('taskset', ['-apc', LOAD_CORE, String(process.pid)]);
}

/** @throws Error that says what is missing */
export function demandTools(): void {
  for (const tool of ['wrk', 'taskset']) {
    if (spawnSync('which', [tool]).status !== 0)
      throw new Error(`the benchmark needs ${tool} (Debian: wrk, util-linux)`);
  }
}
