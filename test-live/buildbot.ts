import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a forced build ends; `held` runs until it is let go, stopped or loses its worker. */
export type Verdict = 'success' | 'warning' | 'failure' | 'exception' | 'skipped' | 'held';

/** A build as Buildbot's own API gives it. */
export interface LiveBuild {
  readonly buildid: number;
  readonly number: number;
  readonly builderid: number;
  readonly complete: boolean;
  readonly results: number | null;
}

export interface Force {
  readonly verdict: Verdict;
  readonly branch?: string;
  readonly revision?: string;
}

/** A real Buildbot on loopback: a master, one worker, and the builders `shop` and `docs`. */
export interface Buildbot {
  readonly origin: string;
  /** An answer of its REST API. */
  get(path: string): Promise<{ readonly status: number; readonly body: Record<string, unknown[]> }>;
  /** Asks for a build; the id of its request. */
  force(builder: string, force: Force): Promise<number>;
  /**
   * The newest build of a held request, once its command runs on the worker: Buildbot 3.7 never ends a build whose worker
   * goes while the build is still prepared.
   */
  begun(request: number): Promise<LiveBuild>;
  /** The newest build of a request, once it has ended. */
  ended(request: number): Promise<LiveBuild>;
  /** The build of a request whose first build lost its worker, once that has ended. */
  again(request: number): Promise<LiveBuild>;
  /** Once a request waits that had a build already, or none yet. */
  waiting(request: number): Promise<void>;
  stopBuild(build: number): Promise<void>;
  /** Lets held builds end. */
  letGo(): void;
  attachWorker(): Promise<void>;
  detachWorker(): Promise<void>;
  close(): Promise<void>;
}

/** Why there is no Buildbot to test against; `undefined` where there is one. */
export function missingBuildbot(): string | undefined {
  try {
    for (const command of ['buildbot', 'buildbot-worker']) execFileSync(command, ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no Buildbot is installed: apt-get install --no-install-recommends buildbot buildbot-worker';
  }
}

const PATIENCE_MS = 60_000;
/** Buildbot's result of a build that lost its worker: its request waits again. */
const RETRY = 5;

/** Starts one in a folder of its own, with ports of its own; the worker is not attached yet. */
export async function startBuildbot(): Promise<Buildbot> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-buildbot-'));
  const [web, workers] = [await freePort(), await freePort()];
  const origin = `http://127.0.0.1:${web}`;
  const hold = join(folder, 'hold');
  const [masterFolder, workerFolder, stub] = ['master', 'worker', 'stub'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeWebStub(stub);
  const env = { ...process.env, PYTHONPATH: stub };
  execFileSync('buildbot', ['create-master', '-q', masterFolder], { env, stdio: 'ignore' });
  writeFileSync(join(masterFolder, 'master.cfg'), masterConfig({ web, workers, hold }));
  const workerArguments = ['create-worker', '-q', workerFolder, `127.0.0.1:${workers}`, 'w1', 'pass'];
  execFileSync('buildbot-worker', workerArguments, { env, stdio: 'ignore' });
  writeFileSync(hold, '');

  const run = (command: string, at: string) =>
    start(command, ['start', '--nodaemon', at], env, join(folder, `${command}.log`));
  const master = run('buildbot', masterFolder);
  let worker: ChildProcess | undefined;

  async function get(path: string) {
    const response = await fetch(`${origin}/api/v2${path}`, { headers: { accept: 'application/json' } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown[]> };
  }
  async function call(path: string, method: string, params: object): Promise<unknown> {
    const response = await fetch(`${origin}/api/v2${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: 1, jsonrpc: '2.0', method, params }),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return (JSON.parse(text) as { result: unknown }).result;
  }
  async function until<Value>(what: string, look: () => Promise<Value | undefined>): Promise<Value> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const value = await look().catch(() => undefined);
      if (value !== undefined) return value;
      if (Date.now() > deadline || master.exitCode !== null) {
        throw new Error(
          `Buildbot: ${what} did not come\n${readFileSync(join(masterFolder, 'twistd.log'), 'utf8').slice(-2_000)}`,
        );
      }
      await sleep(100);
    }
  }
  const buildOf = (request: number, fits: (build: LiveBuild) => boolean) => async () => {
    const { body } = await get(`/buildrequests/${request}/builds?order=-buildid&limit=1`);
    return (body.builds as LiveBuild[]).find(fits);
  };
  const hasWorker = async () => {
    const { body } = await get('/workers');
    return (body.workers as { connected_to: unknown[] }[]).some(({ connected_to }) => connected_to.length > 0);
  };

  const buildbot: Buildbot = {
    origin,
    get,
    async force(builder, { verdict, branch = 'main', revision = '' }) {
      rmSync(`${hold}.begun`, { force: true });
      const { body } = await get(`/builders/${builder}`);
      const [{ builderid }] = body.builders as [{ builderid: number }];
      const params = { builderid: String(builderid), branch, revision, verdict };
      const [, requests] = (await call('/forceschedulers/force', 'force', params)) as [number, Record<string, number>];
      return requests[builderid] ?? assert.fail(`${builder} was not asked for a build`);
    },
    begun: (request) =>
      until('a build', async () => (existsSync(`${hold}.begun`) ? buildOf(request, () => true)() : undefined)),
    ended: (request) =>
      until(
        'the end of a build',
        buildOf(request, ({ complete }) => complete),
      ),
    again: (request) =>
      until(
        'the end of another build',
        buildOf(request, ({ complete, results }) => complete && results !== RETRY),
      ),
    waiting: (request) =>
      until('a request that waits', async () => {
        const { body } = await get(`/buildrequests/${request}`);
        const [found] = body.buildrequests as [{ claimed: boolean; complete: boolean }];
        return found.claimed || found.complete ? undefined : true;
      }).then(() => undefined),
    stopBuild: async (build) => {
      await call(`/builds/${build}`, 'stop', { reason: 'tried out' });
    },
    letGo: () => rmSync(hold, { force: true }),
    async attachWorker() {
      writeFileSync(hold, '');
      worker = run('buildbot-worker', workerFolder);
      await until('the worker', async () => ((await hasWorker()) ? true : undefined));
    },
    async detachWorker() {
      if (worker) await end(worker);
      worker = undefined;
      await until('the leave of the worker', async () => ((await hasWorker()) ? undefined : true));
    },
    async close() {
      buildbot.letGo();
      if (worker) await end(worker);
      await end(master);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await until('its API', async () => ((await get('/builders/shop')).status === 200 ? true : undefined));
    return buildbot;
  } catch (error) {
    await buildbot.close();
    throw error;
  }
}

/**
 * Debian has no `buildbot-www`, and the REST API starts only where the plugin `base` is: a distribution with that entry
 * point and an empty page is enough. https://docs.buildbot.net/3.7.0/developer/plugins-publish.html
 */
function writeWebStub(folder: string): void {
  const files = {
    'buildbot_web_stub-1.dist-info/METADATA': 'Metadata-Version: 2.1\nName: buildbot-web-stub\nVersion: 1\n',
    'buildbot_web_stub-1.dist-info/entry_points.txt': '[buildbot.www]\nbase = buildbot_web_stub:ep\n',
    'buildbot_web_stub/__init__.py':
      "from buildbot.www.plugin import Application\nep = Application(__name__, 'No pages', ui=False)\n",
    'buildbot_web_stub/VERSION': '1\n',
    'buildbot_web_stub/static/index.html': '<!doctype html><title>Buildbot</title>\n',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** A build does what its property `verdict` says. `skipped` needs a build class of its own: skipped steps alone pass. */
function masterConfig({ web, workers, hold }: { web: number; workers: number; hold: string }): string {
  const python = JSON.stringify;
  return `
from buildbot.plugins import schedulers, steps, util, worker
from buildbot.process.build import Build
from buildbot.process.results import EXCEPTION, FAILURE, SKIPPED, SUCCESS, WARNINGS


class DecidedBuild(Build):
    def buildFinished(self, text, results):
        if results == SUCCESS and self.getProperty('verdict') == 'skipped':
            self.results = results = SKIPPED
        return super().buildFinished(text, results)


SCRIPT = '''case "$1" in
  held) : > "$2.begun"; while [ -e "$2" ]; do sleep 0.1; done ;;
  warning) exit 2 ;;
  failure) exit 1 ;;
  exception) exit 4 ;;
esac'''


def factory():
    made = util.BuildFactory([
        steps.ShellCommand(
            name='decide',
            command=['sh', '-c', SCRIPT, 'decide', util.Property('verdict'), ${python(hold)}],
            decodeRC={0: SUCCESS, 1: FAILURE, 2: WARNINGS, 4: EXCEPTION},
            warnOnWarnings=True,
        ),
    ])
    made.buildClass = DecidedBuild
    return made


BUILDERS = ['docs', 'shop']

BuildmasterConfig = {
    'workers': [worker.Worker('w1', 'pass', max_builds=2)],
    'protocols': {'pb': {'port': 'tcp:${workers}:interface=127.0.0.1'}},
    'builders': [util.BuilderConfig(name=name, workernames=['w1'], factory=factory()) for name in BUILDERS],
    'schedulers': [
        schedulers.ForceScheduler(
            name='force',
            builderNames=BUILDERS,
            properties=[util.StringParameter(name='verdict')],
        ),
    ],
    'www': {'port': 'tcp:${web}:interface=127.0.0.1', 'plugins': {}},
    'db': {'db_url': 'sqlite:///state.sqlite'},
    'buildbotNetUsageData': None,
    'title': 'Shop',
    'titleURL': 'http://127.0.0.1:${web}/',
    'buildbotURL': 'http://127.0.0.1:${web}/',
}
`;
}

function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv, log: string): ChildProcess {
  const output = openSync(log, 'a');
  const child = spawn(command, args, { env, stdio: ['ignore', output, output] });
  closeSync(output);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}
