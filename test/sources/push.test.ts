import assert from 'node:assert/strict';
import type { BuildQuery } from '../../lib/builds/index.ts';
import { createPushSource, type Source } from '../../lib/sources/index.ts';
import { openStorage, type ReportedBuild, type Storage, saveBuild } from '../../lib/storage/index.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';

describe('the source push', () => {
  let storage: Storage;
  let push: Source;

  beforeEach(async () => {
    storage = await openStorage('sqlite::memory:');
    push = createPushSource(storage.database);
  });
  afterEach(() => storage.close());

  const report = (more: Partial<ReportedBuild>) =>
    saveBuild(storage.database, { application: 'shop', build: '1', state: 'success', ...more });
  const buildOf = async (query: BuildQuery) => {
    const choice = await push.ask(query);
    return choice.found ? choice.execution.build : undefined;
  };

  it('gives a report back whole', async () => {
    const startedAt = new Date('2026-01-02T03:04:05Z');
    const facts = { status: 'fixed', release: 'main', branch: 'main', commit: SHA, tag: 'v1', startedAt };
    await report({ ...facts, variables: { Os: 'linux' }, pages: { build: 'https://ci.test/1' } });
    const choice = await push.ask({ application: 'shop' });
    assert.ok(choice.found);
    const { id, ...execution } = choice.execution;
    assert.deepEqual(execution, {
      application: 'shop',
      build: '1',
      outcome: 'passed',
      ...facts,
      variables: { Os: 'linux' },
      pages: { build: 'https://ci.test/1' },
    });
  });

  const states = ['success', 'pending', 'running', 'warning', 'error', 'unknown'] as const;
  for (const state of states) {
    it(`shows ${state} as it was reported, and as its own word`, async () => {
      await report({ state });
      const choice = await push.ask({ application: 'shop' });
      assert.ok(choice.found);
      assert.deepEqual([choice.state, choice.execution.status], [state, state]);
    });
  }

  const reported: readonly Partial<ReportedBuild>[] = [
    { build: '1', branch: 'main', commit: SHA, variables: { Os: 'linux' } },
    { build: '2', tag: 'v1', commit: SHA.slice(0, 10) },
    { build: '3', release: '1.0' },
    { build: '4', application: 'other', branch: 'main' },
    { build: '5' },
  ];
  const filters: readonly [BuildQuery, string | undefined][] = [
    [{ application: 'SHOP' }, '5'],
    [{ application: 'shop', build: '3' }, '3'],
    [{ application: 'shop', branch: 'main' }, '1'],
    [{ application: 'shop', tag: 'v1' }, '2'],
    [{ application: 'shop', release: 'main' }, '1'],
    [{ application: 'shop', release: 'v1' }, '2'],
    [{ application: 'shop', release: '1.0' }, '3'],
    [{ application: 'shop', commit: SHA }, '2'],
    [{ application: 'shop', commit: SHA.slice(0, 12), branch: 'main' }, '1'],
    [{ application: 'shop', variables: { os: 'linux' } }, '1'],
    [{ application: 'shop', variables: { os: 'linux' }, tag: 'v1' }, undefined],
    [{ branch: 'main' }, '4'],
    [{ application: 'nobody' }, undefined],
  ];
  for (const [query, build] of filters) {
    it(`answers ${JSON.stringify(query)}`, async () => {
      for (const one of reported) await report(one);
      assert.equal(await buildOf(query), build);
    });
  }

  const silent: readonly BuildQuery[] = [
    { branch: 'x' },
    { tag: 'x' },
    { release: 'x' },
    { commit: SHA },
    { variables: { x: 'y' } },
  ];
  for (const query of silent) {
    it(`has no build for ${JSON.stringify(query)} where none was reported with it`, async () => {
      await report({});
      assert.equal((await push.ask({ application: 'shop', ...query })).found, false);
    });
  }

  it('finds a ref of unknown kind as branch and as tag', async () => {
    await report({ release: 'next' });
    assert.deepEqual([await buildOf({ branch: 'next' }), await buildOf({ tag: 'next' })], ['1', '1']);
  });

  it('takes a second report of a build for its new state, not for a new build', async () => {
    await report({ build: '1', state: 'running' });
    await report({ build: '2', state: 'running' });
    await report({ build: '1', state: 'error' });
    assert.equal(await buildOf({ application: 'shop' }), '2');
    const first = await push.ask({ application: 'shop', build: '1' });
    assert.ok(first.found && first.state === 'error');
  });

  it('looks through everything that is kept', async () => {
    await report({ build: 'old', variables: { wanted: 'yes' } });
    for (let index = 0; index < 150; index += 1) await report({ build: String(index) });
    assert.equal(await buildOf({ application: 'shop', variables: { wanted: 'yes' } }), 'old');
  });
});
