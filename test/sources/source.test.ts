import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { z } from 'zod';
import type { BuildQuery, Execution, Filter } from '../../lib/builds/index.ts';
import {
  BadRequest,
  defineProvider,
  type Project,
  type ProviderQuery,
  UnsupportedFilter,
  type Upstream,
  UpstreamAbsent,
  UpstreamError,
  UpstreamRefused,
} from '../../lib/providers/index.ts';
import { createSource, type SourceSettings } from '../../lib/sources/index.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const GIT: readonly Filter[] = ['application', 'release', 'branch', 'tag', 'commit', 'build'];

function run(more: Partial<Execution> = {}): Execution {
  return { outcome: 'passed', status: 'ok', application: 'shop', pages: {}, ...more };
}

/** A source of a provider that says what the test tells it, and remembers what it was asked. */
function createFake(
  filters: readonly Filter[],
  more: Partial<SourceSettings> & { project?: () => Promise<Project>; withoutApplication?: boolean } = {},
) {
  const fake = {
    asked: [] as ProviderQuery[],
    projects: 0,
    looked: 0,
    executions: [run()] as readonly Execution[] | Error,
    logged: [] as string[],
  };
  const { project, withoutApplication, ...settings } = more;
  const provider = defineProvider({
    id: 'fake',
    title: 'Fake CI',
    docs: 'https://ci.test/docs',
    words: { application: 'project', release: 'branch', build: 'number', execution: 'run' },
    options: z.unknown(),
    filters,
    ...(withoutApplication && { withoutApplication }),
    async *executions(query) {
      fake.asked.push(query);
      if (fake.executions instanceof Error) throw fake.executions;
      for (const execution of fake.executions) {
        fake.looked += 1;
        yield execution;
      }
    },
    ...(project && {
      findProject: () => {
        fake.projects += 1;
        return project();
      },
    }),
  });
  const upstream = {} as Upstream;
  const log = (message: string) => fake.logged.push(message);
  const source = createSource({ name: 'ci', provider, options: {}, upstream, log, ...settings });
  return { ...fake, fake, source, ask: (query: BuildQuery) => source.ask(query) };
}

describe('a source', () => {
  it('gives the execution that was chosen, with its state', async () => {
    const { ask } = createFake(['application']);
    assert.deepEqual(await ask({ application: 'shop' }), { found: true, execution: run(), state: 'success' });
  });

  describe('asks its provider', () => {
    const rows: readonly [string, readonly Filter[], BuildQuery, object][] = [
      ['as it was asked', GIT, { application: 'shop', branch: 'main' }, { application: 'shop', branch: 'main' }],
      [
        'for branch, tag and commit as variables where it knows only these',
        ['application', 'variables'],
        { application: 'shop', branch: 'main', tag: 'v1', commit: SHA, variables: { Os: 'linux' } },
        { application: 'shop', variables: { Branch: 'main', Tag: 'v1', GitCommit: SHA, Os: 'linux' } },
      ],
      [
        'for each as what it knows',
        ['application', 'branch', 'variables'],
        { application: 'shop', branch: 'main', commit: SHA },
        { application: 'shop', branch: 'main', variables: { GitCommit: SHA } },
      ],
      [
        'for an id as the application',
        ['applicationId'],
        { applicationId: '2' },
        { application: '2', applicationId: '2' },
      ],
      [
        'whether it has ended',
        ['application'],
        { application: 'a', finished: true },
        { application: 'a', finished: true },
      ],
    ];
    for (const [what, filters, query, asked] of rows) {
      it(what, async () => {
        const { fake, ask } = createFake(filters);
        fake.executions = [];
        await ask(query);
        assert.deepEqual(fake.asked, [asked]);
      });
    }

    it('without an application where it allows that', async () => {
      const { fake, ask } = createFake(['application', 'build'], { withoutApplication: true });
      fake.executions = [run({ build: '7' })];
      assert.equal((await ask({ build: '7' })).found, true);
      assert.deepEqual(fake.asked, [{ application: '', build: '7' }]);
    });
  });

  describe('refuses', () => {
    const rows: readonly [string, readonly Filter[], BuildQuery, new (message: string) => Error, RegExp][] = [
      [
        'a filter that the provider has not',
        ['application'],
        { application: 'a', build: '1' },
        UnsupportedFilter,
        /Fake CI cannot be filtered by build; it can by application/,
      ],
      [
        'several of them',
        ['application'],
        { application: 'a', branch: 'x', job: 'y' },
        UnsupportedFilter,
        /filtered by job, branch|filtered by branch, job/,
      ],
      ['variables', GIT, { application: 'a', variables: { x: 'y' } }, UnsupportedFilter, /by variables/],
      ['an id', GIT, { applicationId: '2' }, UnsupportedFilter, /by applicationId/],
      [
        'to ask without an application',
        GIT,
        { branch: 'x' },
        BadRequest,
        /needs an application: add \$ApplicationName=<project>/,
      ],
    ];
    for (const [what, filters, query, Kind, message] of rows) {
      it(what, async () => {
        const { fake, ask } = createFake(filters);
        await assert.rejects(ask(query), (error: unknown) => error instanceof Kind && message.test(error.message));
        assert.equal(fake.asked.length, 0);
      });
    }

    it('a filter that no candidate can decide', async () => {
      const { fake, ask } = createFake(GIT);
      fake.executions = [run(), run()];
      await assert.rejects(ask({ application: 'shop', commit: SHA }), UnsupportedFilter);
    });
  });

  it('has nothing where the backend says 404, even half-way', async () => {
    const { fake, ask } = createFake(['application', 'build']);
    fake.executions = new UpstreamAbsent('no such thing');
    assert.deepEqual(await ask({ application: 'shop' }), { found: false, examined: 0, limited: false, undecided: [] });
  });

  for (const error of [new UpstreamError('down'), new UpstreamRefused('no'), new TypeError('a bug')]) {
    it(`passes on ${error.name}`, async () => {
      const { fake, ask } = createFake(['application']);
      fake.executions = error;
      await assert.rejects(ask({ application: 'shop' }), error);
    });
  }

  it('follows its policy and its limit', async () => {
    const { fake, ask } = createFake(['application', 'build'], {
      policy: { cancelled: 'pass over', skipped: 'pass over', waiting: 'pending' },
      scanLimit: 2,
    });
    fake.executions = [run({ outcome: 'cancelled' }), run({ outcome: 'failed' }), run()];
    const choice = await ask({ application: 'shop' });
    assert.ok(choice.found && choice.state === 'error');
    fake.executions = [run({ build: '3' }), run({ build: '2' }), run({ build: '1' })];
    assert.deepEqual(await ask({ application: 'shop', build: '1' }), {
      found: false,
      examined: 2,
      limited: true,
      undecided: [],
    });
  });

  it('logs a word that nobody knows, once', async () => {
    const { fake, ask } = createFake(['application']);
    for (const status of ['odd', 'odd', 'odder']) {
      fake.executions = [run({ outcome: 'unknown', status })];
      await ask({ application: 'shop' });
    }
    assert.deepEqual(
      fake.logged.map((line) => /`(.*)`/.exec(line)?.[1]),
      ['odd', 'odder'],
    );
  });
});

describe('the default branch of a source', () => {
  const project = async () => ({ defaultBranch: 'trunk' });
  const asked = ({ fake }: ReturnType<typeof createFake>) => fake.asked.map(({ branch }) => branch);

  it('is meant where no ref, commit and build is named, and asked for once', async () => {
    const test = createFake(GIT, { project });
    test.fake.executions = [run({ branch: 'trunk' })];
    await test.ask({ application: 'shop' });
    await test.ask({ application: 'shop', finished: true });
    assert.deepEqual(asked(test), ['trunk', 'trunk']);
    assert.equal(test.fake.projects, 1);
  });

  const named: readonly BuildQuery[] = [
    { branch: 'main' },
    { tag: 'main' },
    { release: 'main' },
    { commit: SHA },
    { build: '1' },
  ];
  for (const query of named) {
    it(`is of no matter with ${JSON.stringify(query)}`, async () => {
      const test = createFake(GIT, { project });
      test.fake.executions = [run({ branch: 'main', tag: 'main', commit: SHA, build: '1' })];
      await test.ask({ application: 'shop', ...query });
      assert.deepEqual(asked(test), [query.branch]);
      assert.equal(test.fake.projects, 0);
    });
  }

  it('is left open where the backend has no such project, until it has', async () => {
    let there = false;
    const test = createFake(GIT, { project: () => (there ? project() : Promise.reject(new UpstreamAbsent('none'))) });
    assert.equal((await test.ask({ application: 'shop' })).found, true);
    there = true;
    test.fake.executions = [run({ branch: 'trunk' })];
    await test.ask({ application: 'shop' });
    assert.deepEqual(asked(test), [undefined, 'trunk']);
  });

  it('is asked for again after an outage', async () => {
    let down = true;
    const test = createFake(GIT, { project: () => (down ? Promise.reject(new UpstreamError('down')) : project()) });
    test.fake.executions = [run({ branch: 'trunk' })];
    await assert.rejects(test.ask({ application: 'shop' }), UpstreamError);
    down = false;
    assert.equal((await test.ask({ application: 'shop' })).found, true);
    assert.equal(test.fake.projects, 2);
  });
});

describe('web pages of a source', () => {
  const rows: readonly [string, Partial<SourceSettings>, string, string][] = [
    ['stay as they are', { url: 'http://inner:8080/ci' }, 'http://inner:8080/ci/7', 'http://inner:8080/ci/7'],
    [
      'move with the root',
      { url: 'http://inner:8080/ci', webUrl: 'https://ci.example.org' },
      'http://inner:8080/ci/7?x#y',
      'https://ci.example.org/7?x#y',
    ],
    [
      'move with the root as it stands',
      { url: 'http://inner/ci', webUrl: 'https://o.org/b' },
      'http://inner/ci',
      'https://o.org/b',
    ],
    [
      'are not taken for below a root that they only begin like',
      { url: 'http://inner/ci', webUrl: 'https://o.org/b' },
      'http://inner/cicd/7',
      'https://o.org/cicd/7',
    ],
    [
      'elsewhere get another origin',
      { url: 'http://api.inner', webUrl: 'https://o.org/b' },
      'http://web.inner:81/x/7',
      'https://o.org/x/7',
    ],
    ['get another origin where no root is known', { webUrl: 'https://o.org' }, 'http://inner?7', 'https://o.org?7'],
  ];
  for (const [what, settings, page, seen] of rows) {
    it(what, async () => {
      const { fake, ask } = createFake(['application'], settings);
      fake.executions = [run({ pages: { build: page } })];
      const choice = await ask({ application: 'shop' });
      assert.ok(choice.found);
      assert.deepEqual(choice.execution.pages, { build: seen });
    });
  }
});

describe('a source that is down', () => {
  beforeEach(() => mock.timers.enable({ apis: ['Date'] }));
  afterEach(() => mock.timers.reset());

  const fail = async (test: ReturnType<typeof createFake>, error: Error, times: number) => {
    test.fake.executions = error;
    for (let time = 0; time < times; time += 1) await assert.rejects(test.ask({ application: 'shop' }));
  };

  it('is left alone for a moment after five failures in a row, then tried once', async () => {
    const test = createFake(['application']);
    await fail(test, new UpstreamError('down'), 7);
    assert.equal(test.fake.asked.length, 5);
    mock.timers.tick(5_000);
    await fail(test, new UpstreamError('down'), 2);
    assert.equal(test.fake.asked.length, 6);
    mock.timers.tick(5_000);
    test.fake.executions = [run()];
    assert.equal((await test.ask({ application: 'shop' })).found, true);
  });

  it('starts to count anew with an answer', async () => {
    const test = createFake(['application']);
    await fail(test, new UpstreamError('down'), 4);
    test.fake.executions = [];
    await test.ask({ application: 'shop' });
    await fail(test, new UpstreamError('down'), 4);
    assert.equal(test.fake.asked.length, 9);
  });

  for (const error of [new UpstreamRefused('no'), new UpstreamAbsent('none'), new BadRequest('what?')]) {
    it(`is not one that answers with ${error.name}`, async () => {
      const test = createFake(['application']);
      test.fake.executions = error;
      for (let time = 0; time < 7; time += 1) await test.ask({ application: 'shop' }).catch(() => undefined);
      assert.equal(test.fake.asked.length, 7);
    });
  }

  it('says so as an outage', async () => {
    const test = createFake(['application']);
    await fail(test, new UpstreamError('down'), 5);
    await assert.rejects(test.ask({ application: 'shop' }), {
      name: 'UpstreamError',
      reason: 'upstream-unreachable',
      message: 'source ci failed 5 times: not asked for a moment',
    });
  });
});
