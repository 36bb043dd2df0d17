import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { XMLValidator } from 'fast-xml-parser';
import { providers } from '../plugins/index.ts';
import { type Folder, makeFolder } from './folder.ts';
import { play, type TestServer } from './server.ts';

const CLI = resolve('lib/cli.ts');
const MEMORY = { SIGNALBOX_DATABASE_URL: 'sqlite::memory:' };

type Environment = Readonly<Record<string, string>>;

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('the command line', function () {
  this.timeout(20_000);
  let compiled: Folder;
  let folder: Folder;
  let ci: TestServer;
  /** What the CI answers. */
  let answer: { status: number; body: string };

  before(async () => {
    compiled = makeFolder();
    ci = await play((_, response) => {
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
  });
  after(async () => {
    await ci.close();
    compiled.remove();
  });
  beforeEach(() => {
    folder = makeFolder();
    answer = { status: 200, body: '{"status":"green"}' };
  });
  afterEach(() => folder.remove());

  /** What is compiled is kept for the next of the many programs that these tests start. */
  const environmentOf = (more: Environment) => {
    return { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: compiled.path, ...more };
  };

  function run(args: readonly string[], environment: Environment = {}): Promise<Ended> {
    return new Promise((ended) => {
      const options = { cwd: folder.path, env: environmentOf(environment) };
      execFile(process.execPath, [CLI, ...args], options, (error, out, err) => {
        ended({ code: error ? Number(error.code ?? -1) : 0, out, err });
      });
    });
  }

  /** A configuration with one source, whose backend is a server of the test. */
  const writeConfig = (more: object = {}) =>
    folder.write(
      'signalbox.yaml',
      JSON.stringify({
        database: 'sqlite::memory:',
        sources: [
          {
            name: 'ci',
            provider: 'http-json',
            url: ci.origin,
            path: 'jobs/{application}',
            status: '/status',
            words: { green: 'passed', red: 'failed' },
          },
        ],
        ...more,
      }),
    );

  describe('providers', () => {
    it('lists all that there are', async () => {
      const { code, out } = await run(['providers']);
      assert.equal(code, 0);
      const listed = out
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/\s+/)[0]);
      assert.deepEqual(listed, Object.keys(providers).sort());
    });

    it('tells of one: its words, filters and options', async () => {
      const { code, out } = await run(['providers', 'jenkins']);
      assert.equal(code, 0);
      assert.match(
        out,
        /^# Jenkins\n[\s\S]*Filters: application, [\s\S]*\| `url` \| required \|[\s\S]*\| `token` \| optional \|/,
      );
    });

    it('says which there are instead of one that is not', async () => {
      const { code, out, err } = await run(['providers', 'constructor']);
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, /^signalbox: there is no provider `constructor`; there are .*github, .*\n$/);
    });
  });

  describe('check', () => {
    it('says that the built-in defaults are well', async () => {
      const { code, out } = await run(['check']);
      assert.deepEqual([code, out], [0, 'the built-in defaults: 0 sources, 0 declared keys: well\n']);
      assert.equal(existsSync(join(folder.path, 'data')), false, 'it makes no database');
    });

    it('names what is wrong, in every line, and nothing else', async () => {
      writeConfig({ databse: 'x', server: { prt: 1 } });
      const { code, out, err } = await run(['check']);
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, /^signalbox: .*server\.prt: .*`port`/s);
      assert.match(err, /databse: there is no such option \(did you mean `database`\?\)/);
      assert.doesNotMatch(err, / at .*\.ts:/);
    });

    it('looks at the options of sources too', async () => {
      folder.write('other.yaml', 'sources: [{ name: ci, provider: github, tokn: x }]');
      const { code, err } = await run(['--config', 'other.yaml', 'check']);
      assert.equal(code, 1);
      assert.match(err, /^signalbox: sources\[0\] \(ci\)\.tokn: there is no such option \(did you mean `token`\?\)/);
    });

    it('asks every source with --ask', async () => {
      writeConfig({ applications: { web: { source: 'ci', application: 'acme/web' } } });
      const well = await run(['check', '--ask']);
      assert.equal(well.code, 0, well.err);
      assert.match(well.out, /^ci \(http-json\): answers: acme\/web is success$/m);
      answer = { status: 401, body: '{}' };
      const refused = await run(['check', '--ask']);
      assert.equal(refused.code, 1);
      assert.match(refused.out, /^ci \(http-json\): http:.* refused us with 401/m);
    });
  });

  describe('badge', () => {
    it('prints the state', async () => {
      writeConfig();
      const { code, out, err } = await run(['badge', '$ApplicationName=web']);
      assert.deepEqual([code, out, err], [0, 'success\n', '']);
    });

    it('writes the picture', async () => {
      writeConfig();
      answer = { status: 200, body: '{"status":"red"}' };
      const { code, out } = await run(['badge', '$ApplicationName=web', 'label=tests', '-o', 'badge.svg']);
      assert.deepEqual([code, out], [0, '']);
      const svg = readFileSync(join(folder.path, 'badge.svg'), 'utf8');
      assert.equal(XMLValidator.validate(svg), true);
      assert.match(svg, /tests: error/);
    });

    it('says why it is unknown, and ends with 1', async () => {
      writeConfig();
      answer = { status: 404, body: '{}' };
      const { code, out, err } = await run(['badge', '$ApplicationName=web', 'source=ci']);
      assert.deepEqual([code, out], [1, 'unknown\n']);
      assert.match(err, /^no-match: there is no build of `web`\n$/);
    });

    it('refuses what is no argument', async () => {
      const { code, err } = await run(['badge', 'web'], MEMORY);
      assert.equal(code, 1);
      assert.match(err, /^signalbox: `web` is no argument: name=value was wanted/);
    });
  });

  describe('keys', () => {
    it('are made, shown once, listed with their limits, and revoked', async () => {
      const database = { SIGNALBOX_DATABASE_URL: 'sqlite:./keys/test.db' };
      const limits = ['--source', 'ci', '--application', 'acme/*', '--expires', '2099-01-31'];
      const made = await run(['keys', 'create', 'readme', '--scope', 'badges', 'push', ...limits], database);
      assert.equal(made.code, 0, made.err);
      const key = made.out.trimEnd();
      assert.match(key, /^sbx_[\w-]{43}$/);

      const [again, { out: list }] = await Promise.all([
        run(['keys', 'create', 'readme'], database),
        run(['keys', 'list'], database),
      ]);
      assert.equal(again.code, 1);
      assert.match(again.err, /there is a key `readme` already/);
      assert.match(
        list,
        /^readme; badges push; sources ci; applications acme\/\*; until 2099-01-31T00:00:00\.000Z; made 2/,
      );
      assert.equal(list.includes(key), false);
      assert.equal(readFileSync(join(folder.path, 'keys/test.db')).includes(key), false, 'the key itself is not kept');

      assert.deepEqual(await run(['keys', 'revoke', 'readme'], database), {
        code: 0,
        out: 'readme is revoked\n',
        err: '',
      });
      assert.deepEqual(await run(['keys', 'revoke', 'readme'], database), {
        code: 1,
        out: '',
        err: 'signalbox: there is no key `readme`\n',
      });
    });

    const wrong: readonly [readonly string[], RegExp][] = [
      [['--scope', 'everything'], /badges, read_api, api, push, admin/],
      [['--expires', 'tomorrow'], /--expires tomorrow is no date: 2027-01-31 would be one/],
    ];
    for (const [args, message] of wrong) {
      it(`are not made with ${args.join(' ')}`, async () => {
        const { code, out, err } = await run(['keys', 'create', 'x', ...args], MEMORY);
        assert.deepEqual([code, out], [1, '']);
        assert.match(err, message);
      });
    }
  });

  it('says that a database cannot be used, in one line', async () => {
    const { code, err } = await run(['keys', 'list'], { SIGNALBOX_DATABASE_URL: 'mysql://bob:s3cret@x/y' });
    assert.equal(code, 1);
    assert.match(err, /^signalbox: database: `sqlite:<path>` or `postgres:.* was wanted\n$/);
  });

  describe('serve', () => {
    let running: ChildProcess | undefined;
    let printed: string;

    /** Serves until the lines are there that were waited for. */
    async function serve(until: RegExp, environment: Environment = {}): Promise<void> {
      const env = environmentOf({ SIGNALBOX_PORT: '0', ...environment });
      running = spawn(process.execPath, [CLI, 'serve'], { cwd: folder.path, env });
      printed = '';
      for (const stream of [running.stdout, running.stderr]) stream?.on('data', (chunk) => (printed += chunk));
      while (!until.test(printed)) {
        assert.equal(running?.exitCode, null, `it ended: ${printed}`);
        await sleep(20);
      }
    }

    /** The code with which it ends after a signal, when all that it printed is there. */
    async function end(signal: NodeJS.Signals): Promise<number | null> {
      const child = running ?? assert.fail('nothing serves');
      const closed = once(child, 'close');
      child.kill(signal);
      const [code] = await closed;
      return code;
    }

    afterEach(() => {
      running?.kill('SIGKILL');
      running = undefined;
    });

    const noCurl = spawnSync('curl', ['--version']).error ? ' (there is no curl to run the first line with)' : '';

    it(`prints two lines without any configuration, and both work as printed${noCurl}`, async function () {
      if (noCurl) this.skip(); // there is no curl to run the first line with
      await serve(/This key works/);
      const [, curl = ''] = /Report a build:\n(.*)\n/.exec(printed) ?? [];
      const [, address = ''] = /Its badge:\n(.*)\n/.exec(printed) ?? [];
      const stateOf = async () => (await fetch(address)).headers.get('badge-state');
      assert.equal(await stateOf(), 'unknown');
      assert.match(await inShell(curl), /"state":"success"/);
      assert.equal(await stateOf(), 'success');
      assert.ok(existsSync(join(folder.path, 'data/signalbox.db')), 'what is reported is kept');

      const key = /key=([^&]+)/.exec(address)?.[1] ?? assert.fail('no key');
      assert.equal(await end('SIGTERM'), 0);
      const log = printed.split('\n').filter((line) => line.startsWith('{'));
      assert.ok(log.some((line) => line.includes('"path":"/api/ci-badges/image"')));
      assert.equal(log.join().includes(key), false, 'the key is not logged');
      assert.match(printed, /"msg":"stopping"/);
    });

    it('prints no key where there is a configuration, and takes those of it', async () => {
      writeConfig({ keys: [{ name: 'readme', key: 'badges', scopes: ['badges'] }] });
      await serve(/"msg":"listening"/);
      const [, address = ''] = /"address":"([^"]+)"/.exec(printed) ?? [];
      const image = await fetch(`${address}/api/ci-badges/image?key=badges&$ApplicationName=web`);
      assert.deepEqual([image.status, image.headers.get('badge-state')], [200, 'success']);
      assert.doesNotMatch(printed, /Report a build/);
      assert.equal(await end('SIGINT'), 0);
    });

    it('says in one line that its port is taken', async () => {
      const { code, err } = await run(['serve'], { ...MEMORY, SIGNALBOX_PORT: new URL(ci.origin).port });
      assert.equal(code, 1);
      assert.match(err, /^signalbox: listen EADDRINUSE[^\n]*\n$/);
    });
  });
});

/** What a line prints that is typed into a shell. */
function inShell(line: string): Promise<string> {
  return new Promise((ended, failed) => {
    execFile('sh', ['-c', line], (error, out) => (error ? failed(error) : ended(out)));
  });
}
