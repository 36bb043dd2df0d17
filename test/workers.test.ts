import assert from 'node:assert/strict';
import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'undici';
import { pauseAfter } from '../lib/workers.ts';
import { type Folder, makeFolder } from './folder.ts';
import { play, type TestServer } from './server.ts';

const CLI = resolve('lib/cli.ts');
const IMAGE = '/api/ci-badges/image?$ApplicationName=web';
const PUSHED = `${IMAGE}&source=push&key=badges`;
const ASKED = `${IMAGE}&source=ci&key=badges`;
const KEYS = { badges: ['badges'], push: ['push'], 'adm1n-key': ['admin'] };
const ADMIN = { authorization: 'Bearer adm1n-key' };

interface Answer {
  readonly status: number;
  readonly state: string | undefined;
}

/** One process of a server, by a connection that it has accepted. */
interface Worker {
  /** What the ids of its requests start with. */
  readonly id: string;
  readonly pid: number;
  get(path: string): Promise<Answer>;
  /** What Prometheus is told by it. */
  metrics(): Promise<string>;
  post(path: string, body: object, headers: Record<string, string>): Promise<Answer>;
}

/** A server with workers, in processes of its own. */
interface Server {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly address: string;
  printed(): string;
  /** So many workers, all different, each by a new connection. */
  workers(count: number): Promise<[Worker, Worker, ...Worker[]]>;
}

/** Checks and the readings of the metrics themselves. */
const HEALTH_CHECKS = 'signalbox_requests_total{surface="other",status="200"}';
const MOST_MS = 30_000;

/** Waits until something is there. */
async function until<Found>(find: () => Found | undefined | false | Promise<Found | false>): Promise<Found> {
  for (const end = Date.now() + MOST_MS; Date.now() < end; await sleep(20)) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`it did not come in ${MOST_MS} ms: ${find}`);
}

describe('workers', function () {
  this.timeout(2 * MOST_MS);
  let compiled: Folder;
  let folder: Folder;
  let ci: TestServer;
  /** What the CI says of `web`, and what it waits for before. */
  let health: string;
  let held: Promise<void> | undefined;
  const running = new Set<ChildProcess>();
  const clients = new Set<Client>();

  before(async () => {
    compiled = makeFolder();
    ci = await play(async (_, response) => {
      await held;
      response.setHeader('content-type', 'application/json').end(JSON.stringify(application()));
    });
  });
  after(async () => {
    await ci.close();
    compiled.remove();
  });
  beforeEach(() => {
    health = 'Healthy';
    held = undefined;
    folder = makeFolder();
  });
  afterEach(async () => {
    for (const child of running) child.kill('SIGKILL');
    await Promise.all([...clients].map((client) => client.destroy()));
    clients.clear();
    folder.remove();
  });

  /** Of Argo CD, whose webhooks say the same and carry their secret as it stands. */
  const application = () => ({
    metadata: { name: 'web', namespace: 'argocd' },
    spec: { source: { targetRevision: 'main' } },
    status: { sync: { status: 'Synced' }, health: { status: health } },
  });

  const writeConfig = () =>
    folder.write(
      'signalbox.yaml',
      JSON.stringify({
        keys: Object.entries(KEYS).map(([key, scopes]) => ({ name: key, key, scopes })),
        sources: [{ name: 'ci', provider: 'argocd', url: ci.origin, webhookSecret: 'hook' }],
      }),
    );

  const environmentOf = (more: object) => ({
    PATH: process.env.PATH ?? '',
    NODE_COMPILE_CACHE: compiled.path,
    SIGNALBOX_PORT: '0',
    ...more,
  });

  async function run(args: readonly string[], environment: object = {}) {
    const options = { cwd: folder.path, env: environmentOf(environment) };
    return promisify(execFile)(process.execPath, [CLI, ...args], options).then(
      ({ stdout }) => ({ code: 0, out: stdout, err: '' }),
      ({ code, stdout, stderr }) => ({ code, out: stdout, err: stderr }),
    );
  }

  /** Serves, once all workers listen. */
  async function serve(count: number, options: SpawnOptions = {}): Promise<Server> {
    const args = [CLI, 'serve', '--workers', String(count)];
    const child = spawn(process.execPath, args, { cwd: folder.path, env: environmentOf({}), ...options });
    running.add(child);
    const ended = once(child, 'exit').then(([code]) => {
      running.delete(child);
      return code;
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (printed += chunk));
    const address = await until(() => {
      assert.equal(child.exitCode, null, printed);
      return /"address":"([^"]+)".*"msg":"listening"}\n/.exec(printed)?.[1];
    });

    const connect = async (): Promise<Worker> => {
      const client = new Client(address);
      clients.add(client);
      const send = async (path: string, method: 'GET' | 'POST', body?: object, more: Record<string, string> = {}) => {
        const headers = body ? { 'content-type': 'application/json', ...more } : more;
        const answer = await client.request({ path, method, headers, body: body && JSON.stringify(body) });
        const state = text(answer.headers['badge-state']);
        return { status: answer.statusCode, state, id: idOf(answer.headers), body: await answer.body.text() };
      };
      const { id } = await send('/healthz', 'GET');
      // Of many requests in a second not every one has a line, but the first of each worker have.
      const line = await until(() => printed.split('\n').find((one) => isOf(one, prefixOf(id)) && one.endsWith('}')));
      const sendTo = async (...args: Parameters<typeof send>) => {
        const answer = await send(...args);
        assert.equal(prefixOf(answer.id), prefixOf(id), 'the same worker answers');
        return answer;
      };
      const answerOf = ({ status, state }: Answer) => ({ status, state });
      return {
        id: prefixOf(id),
        pid: JSON.parse(line).pid,
        get: async (path) => answerOf(await sendTo(path, 'GET')),
        metrics: async () => (await sendTo('/metrics', 'GET', undefined, ADMIN)).body,
        post: async (path, body, headers) => answerOf(await sendTo(path, 'POST', body, headers)),
      };
    };
    const workers = async (wanted: number) => {
      const found = new Map<string, Worker>();
      while (found.size < wanted) {
        const worker = await connect();
        found.set(worker.id, worker);
      }
      return [...found.values()] as [Worker, Worker, ...Worker[]];
    };
    return { child, ended, address, printed: () => printed, workers };
  }

  const report = (worker: Worker, state: string, build: string) =>
    worker.post('/api/builds', { application: 'web', build, state }, { 'x-apikey': 'push' });

  it('are processes of their own behind one address, which is said once, with one key to begin with', async () => {
    const server = await serve(3);
    await until(() => server.printed().includes('This key works'));
    const workers = await server.workers(3);
    const pids = new Set([server.child.pid, ...workers.map(({ pid }) => pid)]);
    assert.equal(pids.size, 4);
    const key = /key=([^&]+)&/.exec(server.printed())?.[1] ?? assert.fail('no key');
    for (const worker of workers) {
      assert.deepEqual(await worker.get(`${IMAGE}&key=${key}`), { status: 200, state: 'unknown' });
      assert.equal((await worker.get(`${IMAGE}&key=other`)).status, 403);
    }
    assert.equal(server.printed().match(/"msg":"listening"/g)?.length, 1);
    assert.match(server.printed(), /"workers":3,"msg":"listening"/);
    assert.equal(server.printed().match(/Report a build:/g)?.length, 1);
  });

  it('all show a reported build as soon as one of them has taken the report', async () => {
    writeConfig();
    const [first, ...others] = await (await serve(3)).workers(3);
    for (const worker of [first, ...others]) assert.equal((await worker.get(PUSHED)).state, 'unknown');
    for (const [build, state] of ['running', 'success', 'error'].entries()) {
      assert.equal((await report(first, state, String(build))).status, 201);
      for (const worker of [...others, first]) assert.equal((await worker.get(PUSHED)).state, state);
    }
  });

  it('all ask again as soon as one of them has taken a webhook', async () => {
    writeConfig();
    const [first, second] = await (await serve(2)).workers(2);
    for (const worker of [first, second]) assert.equal((await worker.get(ASKED)).state, 'success');
    health = 'Degraded';
    for (const worker of [first, second]) assert.equal((await worker.get(ASKED)).state, 'success', 'still known');
    assert.equal((await first.post('/hooks/ci', application(), { authorization: 'Bearer hook' })).status, 202);
    for (const worker of [second, first]) assert.equal((await worker.get(ASKED)).state, 'error');
  });

  it('take reports while one of them is stuck, which learns of them when it goes on', async () => {
    writeConfig();
    const [first, stuck] = await (await serve(2)).workers(2);
    assert.equal((await stuck.get(PUSHED)).state, 'unknown');
    process.kill(stuck.pid, 'SIGSTOP');
    try {
      assert.equal((await report(first, 'success', '1')).status, 201);
      assert.equal((await first.get(PUSHED)).state, 'success');
    } finally {
      process.kill(stuck.pid, 'SIGCONT');
    }
    await until(async () => (await stuck.get(PUSHED)).state === 'success');
  });

  it('all refuse a key that was revoked', async () => {
    writeConfig();
    const server = await serve(2);
    const { out } = await run(['keys', 'create', 'readme']);
    const path = `${IMAGE}&key=${out.trimEnd()}`;
    for (const worker of await server.workers(2)) await until(async () => (await worker.get(path)).status === 200);
    assert.equal((await run(['keys', 'revoke', 'readme'])).code, 0);
    for (const worker of await server.workers(2)) await until(async () => (await worker.get(path)).status === 403);
  });

  it('tell each what all of them have counted, and no key', async () => {
    writeConfig();
    const workers = await (await serve(2)).workers(2);
    const [first, second] = workers;
    for (const [worker, count] of [
      [first, 3],
      [second, 4],
    ] as const) {
      for (let asked = 0; asked < count; asked += 1) await worker.get(ASKED);
    }
    for (const worker of workers) {
      const told = await worker.metrics();
      assert.deepEqual(
        [
          'signalbox_warm_requests_total{status="200"}',
          'signalbox_warm_answers',
          'signalbox_requests_total{surface="image",status="200"}',
          'signalbox_request_seconds_count{surface="image"}',
          'signalbox_request_seconds_bucket{le="+Inf",surface="image"}',
          'signalbox_upstream_requests_total{source="ci",status="200"}',
        ].map((name) => numberOf(told, name)),
        [5, 2, 2, 2, 2, 2],
      );
      assert.ok((numberOf(told, 'process_resident_memory_bytes') ?? 0) > 2 * 20_000_000);
      assert.match(told, /^nodejs_eventloop_lag_p99_seconds /m);
      assert.doesNotMatch(told, /adm1n|key=|badges"/);
    }
  });

  it('leave out of what they have counted who is stuck or dead, and count its replacement', async () => {
    writeConfig();
    const server = await serve(2);
    const [first, second] = await server.workers(2);
    const healthChecks = async () => numberOf(await first.metrics(), HEALTH_CHECKS) ?? 0;
    const before = await healthChecks();
    await first.get('/healthz');
    for (let asked = 0; asked < 100; asked += 1) await second.get('/healthz');
    process.kill(second.pid, 'SIGSTOP');
    const whileStuck = await healthChecks();
    assert.ok(whileStuck > 0 && whileStuck < 100, String(whileStuck));
    process.kill(second.pid, 'SIGCONT');
    await until(async () => (await healthChecks()) > before + 100);
    process.kill(second.pid, 'SIGKILL');
    await until(() => server.printed().includes('another takes its place'));
    const afterDeath = await healthChecks();
    assert.ok(afterDeath < 100, String(afterDeath));
    const replacement = (await server.workers(2)).find(({ id }) => id !== first.id) ?? assert.fail('no replacement');
    for (let asked = 0; asked < 100; asked += 1) await replacement.get('/healthz');
    assert.ok((await healthChecks()) > afterDeath + 100);
  });

  it('go on while one of them is killed, and another takes its place', async () => {
    writeConfig();
    const server = await serve(2);
    const [victim, other] = await server.workers(2);
    await report(other, 'success', '1');
    let isOver = false;
    const asking = (async () => {
      for (let count = 0; ; count += 1) {
        assert.deepEqual(await other.get(`${PUSHED}&label=${count % 50}`), { status: 200, state: 'success' });
        if (isOver) return count;
      }
    })();
    process.kill(victim.pid, 'SIGKILL');
    await until(() => server.printed().includes('another takes its place'));
    const workers = await server.workers(2);
    isOver = true;
    assert.ok((await asking) > 0);
    assert.ok(workers.every(({ pid }) => pid !== victim.pid));
    const replacement = workers.find(({ id }) => id !== other.id) ?? assert.fail('no replacement');
    assert.equal((await report(other, 'error', '2')).status, 201);
    assert.equal((await replacement.get(PUSHED)).state, 'error');
  });

  it('leave no new connection without an answer or an end while one of them is killed', async () => {
    writeConfig();
    const server = await serve(2);
    let isOver = false;
    const outcomes = new Map<string, number>();
    const askAnew = async () => {
      while (!isOver) {
        const client = new Client(server.address, { headersTimeout: 5_000 });
        const outcome = await client.request({ path: '/healthz', method: 'GET' }).then(
          async ({ body }) => (await body.text()).trim(),
          ({ code }) => String(code),
        );
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        await client.destroy();
      }
    };
    const asking = Array.from({ length: 32 }, askAnew);
    try {
      for (let killed = 1; killed <= 4; killed += 1) {
        const [victim] = await server.workers(2);
        process.kill(victim.pid, 'SIGKILL');
        await until(() => server.printed().split('another takes its place').length > killed);
      }
    } finally {
      isOver = true;
    }
    await Promise.all(asking);
    assert.ok((outcomes.get('ok') ?? 0) > 100);
    const ends = ['ok', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];
    assert.deepEqual(
      [...outcomes].filter(([outcome]) => !ends.includes(outcome)),
      [],
    );
  });

  for (const [what, signal, sign] of [
    ['SIGTERM', 'SIGTERM', 1],
    ['Ctrl-C, which all of them get', 'SIGINT', -1],
    ['SIGTERM that all of them get', 'SIGTERM', -1],
  ] as const) {
    it(`finish what is under way and end with 0 after ${what}`, async () => {
      writeConfig();
      const server = await serve(2, { detached: true });
      const workers = await server.workers(2);
      let release = () => {};
      held = new Promise((go) => {
        release = go;
      });
      const before = ci.got.length;
      const answers = workers.map((worker) => worker.get(ASKED));
      await until(() => ci.got.length === before + workers.length);
      process.kill(sign * Number(server.child.pid), signal);
      await until(() => server.printed().includes('"msg":"stopping"'));
      release();
      for (const answer of answers) assert.equal((await answer).status, 200);
      assert.equal(await server.ended, 0);
      for (const { pid } of workers) assert.ok(isGone(pid));
      assert.doesNotMatch(server.printed(), /another takes its place/);
    });
  }

  it('end when the process that started them is killed', async () => {
    writeConfig();
    const server = await serve(2);
    const workers = await server.workers(2);
    server.child.kill('SIGKILL');
    await until(() => workers.every(({ pid }) => isGone(pid)));
  });

  it('are not started again when the first cannot listen, which is said once', async () => {
    const { code, out, err } = await run(['serve', '--workers', '4'], { SIGNALBOX_PORT: new URL(ci.origin).port });
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /^signalbox: [^\n]*EADDRINUSE[^\n]*\nsignalbox: a worker ended before it listened\n$/);
  });

  it('share no database in memory', async () => {
    const { code, err } = await run(['serve', '--workers', '2'], { SIGNALBOX_DATABASE_URL: 'sqlite::memory:' });
    assert.equal(code, 1);
    assert.match(err, /^signalbox: database: sqlite::memory: would be another one in each of 2 workers: [^\n]*\n$/);
  });

  for (const count of ['0', '-1', '65', '1.5', 'two', '']) {
    it(`are not ${count || 'an empty text'} in number`, async () => {
      const { code, err } = await run(['serve', '--workers', count]);
      assert.equal(code, 1);
      assert.equal(err, `signalbox: --workers ${count}: a whole number from 1 to 64 was wanted\n`);
    });
  }

  it('are replaced at once, but after a growing pause where they end soon', () => {
    assert.equal(pauseAfter(60_000, 0), 0);
    assert.equal(pauseAfter(60_000, 800), 0);
    const pauses = [0];
    for (let count = 0; count < 12; count += 1) pauses.push(pauseAfter(50, pauses[count] ?? 0));
    assert.deepEqual(pauses.slice(0, 5), [0, 100, 200, 400, 800]);
    assert.equal(pauses.at(-1), 30_000);
  });
});

function isGone(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

/** The number behind a name in what Prometheus is told. */
function numberOf(told: string, name: string): number | undefined {
  const line = told.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length));
}

const text = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);

const idOf = (headers: Record<string, string | string[] | undefined>) => text(headers['x-request-id']) ?? '';

/** Whether a line of the log is of a request to the worker whose ids start so. */
const isOf = (line: string, prefix: string) => line.includes(`"requestId":"${prefix}-`);

const prefixOf = (id: string) => id.slice(0, id.lastIndexOf('-'));
