import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { scaffoldProvider } from '../lib/scaffold.ts';

describe('scaffold of a provider', () => {
  let root: string;
  const read = (file: string) => readFileSync(join(root, file), 'utf8');

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'signalbox-scaffold-'));
    mkdirSync(join(root, 'plugins'));
    cpSync('plugins/index.ts', join(root, 'plugins/index.ts'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('writes the four places', () => {
    assert.deepEqual(scaffoldProvider(root, 'my-ci'), [
      'plugins/my-ci.ts',
      'fixtures/my-ci/case.ts',
      'fixtures/my-ci/SOURCES.md',
      'test/plugins/my-ci.test.ts',
      'plugins/index.ts',
    ]);
    assert.match(read('plugins/my-ci.ts'), /id: 'my-ci',\n {2}title: 'My Ci'/);
    assert.match(read('fixtures/my-ci/SOURCES.md'), /^# Sources: My Ci\n/);
  });

  for (const [id, line] of [
    ['aaa', "  aaa: () => import('./aaa.ts'),"],
    ['my-ci', "  'my-ci': () => import('./my-ci.ts'),"],
    ['zzz', "  zzz: () => import('./zzz.ts'),"],
  ] as const) {
    it(`puts ${id} in its place in the list`, () => {
      const before = read('plugins/index.ts').split('\n');
      scaffoldProvider(root, id);
      const after = read('plugins/index.ts').split('\n');
      assert.deepEqual(
        after.filter((text) => text !== line),
        before,
      );
      const ids = after.flatMap((text) => /^ {2}'?([a-z0-9-]+)'?:/.exec(text)?.[1] ?? []);
      assert.deepEqual(ids, [...ids].sort());
      assert.ok(ids.includes(id));
    });
  }

  for (const id of ['My-CI', '9ci', 'a/b', '../x', '']) {
    it(`refuses the id \`${id}\``, () => {
      assert.throws(() => scaffoldProvider(root, id), { name: 'ConfigError', message: /lower-case letters/ });
    });
  }

  it('refuses an id that is taken, by the list, by a file or by another meaning', () => {
    const before = read('plugins/index.ts');
    writeFileSync(join(root, 'plugins/my-ci.ts'), 'mine');
    for (const id of ['gitlab', 'my-ci', 'push', 'new', 'index']) {
      assert.throws(() => scaffoldProvider(root, id), { name: 'ConfigError', message: /is taken/ });
    }
    assert.equal(read('plugins/my-ci.ts'), 'mine');
    assert.equal(read('plugins/index.ts'), before);
  });

  it('refuses a folder that is no clone, and says what else to do', () => {
    const elsewhere = join(root, 'plugins');
    assert.throws(() => scaffoldProvider(elsewhere, 'my-ci'), { name: 'ConfigError', message: /adding-a-provider/ });
  });

  describe('in a clone', function () {
    this.timeout(60_000);
    const run = (command: string, ...args: string[]) =>
      spawnSync(resolve('node_modules/.bin', command), args, { cwd: root, encoding: 'utf8' });

    beforeEach(() => {
      for (const place of ['lib', 'plugins', 'package.json', 'tsconfig.json', 'biome.json', 'test/setup.ts']) {
        cpSync(place, join(root, place), { recursive: true });
      }
      symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
      execFileSync(process.execPath, ['lib/cli.ts', 'providers', 'new', 'my-ci'], { cwd: root });
    });

    it('passes lint, and its test fails saying what to record', () => {
      const lint = run('biome', 'check', 'plugins/my-ci.ts', 'plugins/index.ts', 'fixtures/my-ci', 'test/plugins');
      assert.equal(lint.status, 0, lint.stdout + lint.stderr);
      const test = run('mocha', '--no-config', '--require', './test/setup.ts', 'test/plugins/my-ci.test.ts');
      assert.equal(test.status, 1, test.stdout + test.stderr);
      assert.match(test.stdout, /1 failing/);
      assert.match(
        test.stdout,
        /no answer is recorded: put what the backend says to GET https:\/\/ci\.test\/api\/proj/,
      );
    });

    it('type-checks, and does what it promises once an answer is recorded', () => {
      const builds = [{ number: 41, status: 'success', branch: 'main', web_url: 'https://ci.test/shop/41' }];
      writeFileSync(join(root, 'fixtures/my-ci/success.json'), JSON.stringify({ builds }));
      const filled = read('fixtures/my-ci/case.ts').replace(
        'executions: {}',
        "executions: { 'success.json': [{ outcome: 'passed', build: '41' }] }",
      );
      writeFileSync(join(root, 'fixtures/my-ci/case.ts'), filled);
      const types = run('tsc', '--noEmit', '-p', '.');
      assert.doesNotMatch(types.stdout, /my-ci/);
      const test = run('mocha', '--no-config', '--require', './test/setup.ts', 'test/plugins/my-ci.test.ts');
      assert.equal(test.status, 0, test.stdout + test.stderr);
    });

    it('is told of at the command line when the id is taken', () => {
      const again = spawnSync(process.execPath, ['lib/cli.ts', 'providers', 'new', 'my-ci'], {
        cwd: root,
        encoding: 'utf8',
      });
      assert.equal(again.status, 1);
      assert.match(again.stderr, /^signalbox: `my-ci` is taken: there is plugins\/my-ci\.ts\n$/);
    });
  });
});
