import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type BuildQuery,
  type Choice,
  type ChoiceRules,
  chooseExecution,
  DEFAULT_POLICY,
  type Execution,
  FILTERS,
  type Filter,
  matches,
  OUTCOMES,
  type Outcome,
  type StatePolicy,
  stateOf,
} from '../../lib/builds/index.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';

function run(more: Partial<Execution> = {}): Execution {
  return { outcome: 'passed', status: 'ok', application: 'shop', pages: {}, ...more };
}

async function* from(executions: readonly Execution[], looked: { at: number } = { at: 0 }) {
  for (const execution of executions) {
    looked.at += 1;
    yield execution;
  }
}

const choose = (executions: readonly Execution[], query: BuildQuery = {}, rules?: ChoiceRules) =>
  chooseExecution(from(executions), query, rules);

/** The build number of what was chosen. */
const chosen = (choice: Choice) => (choice.found ? choice.execution.build : undefined);

describe('chooseExecution', () => {
  it('takes the first candidate, and looks at no more', async () => {
    const looked = { at: 0 };
    const choice = await chooseExecution(from([run({ build: '2' }), run({ build: '1' })], looked), {});
    assert.equal(chosen(choice), '2');
    assert.equal(looked.at, 1);
  });

  it('says that there was none', async () => {
    assert.deepEqual(await choose([]), { found: false, examined: 0, limited: false, undecided: [] });
  });

  const decided: readonly [BuildQuery, Partial<Execution>, boolean][] = [
    [{ application: 'Acme/Web' }, { application: 'acme/web' }, true],
    [{ application: 'acme' }, { application: 'acme/web' }, false],
    [{ applicationId: '2' }, { applicationId: '2' }, true],
    [{ applicationId: '2' }, { applicationId: '20' }, false],
    [{ build: '7' }, { build: '7' }, true],
    [{ build: '7' }, { build: '07' }, false],
    [{ branch: 'main' }, { branch: 'main' }, true],
    [{ branch: 'main' }, { branch: 'Main' }, false],
    [{ branch: 'main' }, { release: 'main' }, true],
    [{ branch: 'v1' }, { tag: 'v1' }, false],
    [{ branch: 'v1' }, { release: 'v1', tag: 'v1' }, false],
    [{ tag: 'v1' }, { release: 'v1' }, true],
    [{ tag: 'main' }, { branch: 'main' }, false],
    [{ release: 'main' }, { branch: 'main' }, true],
    [{ release: 'v1' }, { tag: 'v1' }, true],
    [{ release: 'v1' }, { release: 'v1' }, true],
    [{ release: 'v2' }, { branch: 'v1', tag: 'v3' }, false],
    [{ commit: SHA }, { commit: SHA }, true],
    [{ commit: SHA }, { commit: SHA.toUpperCase() }, true],
    [{ commit: SHA.slice(0, 7) }, { commit: SHA }, true],
    [{ commit: SHA }, { commit: SHA.slice(0, 8) }, true],
    [{ commit: SHA }, { commit: SHA.slice(0, 6) }, false],
    [{ commit: SHA.slice(1, 10) }, { commit: SHA }, false],
    [{ workflow: 'ci.yml' }, { workflow: 'ci.yml' }, true],
    [{ workflow: 'ci.yml' }, { workflow: 'cd.yml' }, false],
    [{ stage: 'Test' }, { stage: 'Build' }, false],
    [{ job: 'lint' }, { job: 'lint' }, true],
    [{ variables: { Colour: 'red' } }, { variables: { colour: 'red', size: '9' } }, true],
    [{ variables: { Colour: 'red' } }, { variables: { colour: 'Red' } }, false],
    [{ variables: { Colour: 'red', Size: '9' } }, { variables: { colour: 'red' } }, false],
    [{ variables: { constructor: 'x' } }, { variables: {} }, false],
    [{ finished: true }, { outcome: 'running' }, false],
    [{ finished: true }, { outcome: 'queued' }, false],
    [{ finished: true }, { outcome: 'waiting' }, false],
    [{ finished: true }, { outcome: 'failed' }, true],
    [{ branch: 'main' }, { branch: 'main', pullRequest: true }, false],
    [{}, { pullRequest: true }, false],
    [{ build: '7' }, { build: '7', pullRequest: true }, true],
    [{ commit: SHA }, { commit: SHA, pullRequest: true }, true],
    [{ branch: 'pull/12/head' }, { branch: 'pull/12/head', pullRequest: true }, true],
    [{ release: 'refs/merge-requests/3/head' }, { release: 'refs/merge-requests/3/head', pullRequest: true }, true],
    [{ branch: 'pull' }, { branch: 'pull', pullRequest: true }, false],
  ];
  for (const [query, execution, fits] of decided) {
    it(`${JSON.stringify(query)} ${fits ? 'takes' : 'passes over'} ${JSON.stringify(execution)}`, async () => {
      assert.equal(matches(query, run(execution)), fits);
      assert.equal((await choose([run(execution)], query)).found, fits);
    });
  }

  it('checks the whole query: one filter that does not fit is enough', async () => {
    const query = { application: 'shop', branch: 'main', build: '7' };
    assert.equal((await choose([run({ branch: 'main', build: '8' })], query)).found, false);
    assert.equal((await choose([run({ branch: 'main', build: '7' })], query)).found, true);
  });

  it('a badge for commit X never shows commit Y', async () => {
    const sha = fc.string({ unit: fc.constantFrom(...'01ab'), minLength: 7, maxLength: 40 });
    const candidates = fc.array(sha, { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(sha, candidates, async (wanted, commits) => {
        const choice = await choose(
          commits.map((commit) => run({ commit })),
          { commit: wanted },
        );
        const first = commits.find((commit) => commit.startsWith(wanted) || wanted.startsWith(commit));
        assert.equal(choice.found ? choice.execution.commit : undefined, first);
      }),
    );
  });
});

describe('what a choice passes over', () => {
  const policies: readonly Partial<StatePolicy>[] = [
    {},
    { cancelled: 'error' },
    { cancelled: 'pass over' },
    { skipped: 'success' },
    { skipped: 'warning' },
    { waiting: 'pass over' },
    { cancelled: 'pass over', waiting: 'pass over' },
  ];
  for (const setting of policies) {
    const policy = { ...DEFAULT_POLICY, ...setting };
    for (const outcome of OUTCOMES) {
      const state = stateOf(outcome, policy);
      it(`${outcome} ${state ? `shows ${state}` : 'looks on'} with ${JSON.stringify(setting)}`, async () => {
        const choice = await choose([run({ outcome, build: '2' }), run({ build: '1' })], {}, { policy });
        assert.ok(choice.found);
        assert.deepEqual([choice.state, choice.execution.build], state ? [state, '2'] : ['success', '1']);
      });
    }
  }

  it('finished=1 gives the newest that ended', async () => {
    const outcomes: readonly Outcome[] = ['queued', 'waiting', 'running', 'skipped', 'failed', 'passed'];
    const candidates = outcomes.map((outcome, index) => run({ outcome, build: String(9 - index) }));
    assert.equal(chosen(await choose(candidates, { finished: true })), '5');
  });
});

describe('how far a choice looks', () => {
  const others = Array.from({ length: 150 }, (_, index) => run({ build: String(index) }));

  it('stops after 100 candidates', async () => {
    const looked = { at: 0 };
    const choice = await chooseExecution(from(others, looked), { build: 'none' });
    assert.deepEqual(choice, { found: false, examined: 100, limited: true, undecided: [] });
    assert.equal(looked.at, 100);
  });

  it('takes the last one that it looks at', async () => {
    assert.equal(chosen(await choose(others, { build: '99' })), '99');
    assert.equal(chosen(await choose(others, { build: '100' })), undefined);
  });

  it('stops where the limit says', async () => {
    const choice = await choose(others, { build: '3' }, { limit: 3 });
    assert.deepEqual(choice, { found: false, examined: 3, limited: true, undecided: [] });
  });

  it('is not limited where the candidates end', async () => {
    const choice = await choose(others.slice(0, 2), { build: 'none' }, { limit: 3 });
    assert.deepEqual(choice, { found: false, examined: 2, limited: false, undecided: [] });
  });
});

describe('filters that no candidate can decide', () => {
  const wanted: Record<Filter, string | { x: string }> = {
    application: 'shop',
    applicationId: '1',
    release: 'main',
    branch: 'main',
    tag: 'v1',
    commit: SHA,
    build: '1',
    workflow: 'ci',
    stage: 'a',
    job: 'b',
    variables: { x: 'y' },
  };
  for (const filter of FILTERS.filter((name) => name !== 'application')) {
    it(`${filter} is told`, async () => {
      const choice = await choose([run(), run()], { [filter]: wanted[filter] });
      assert.deepEqual(choice, { found: false, examined: 2, limited: false, undecided: [filter] });
      assert.equal(matches({ [filter]: wanted[filter] }, run()), false);
    });
  }

  it('are those that none of them can decide', async () => {
    const choice = await choose([run({ build: '9' }), run({ stage: 'x' })], { build: '9', stage: 'x', job: 'y' });
    assert.deepEqual(choice, { found: false, examined: 2, limited: false, undecided: ['job'] });
  });

  it('are none where another filter rules every candidate out', async () => {
    const choice = await choose([run({ build: '1' }), run({ stage: 'a' })], { build: '9', stage: 'x', job: 'y' });
    assert.deepEqual(choice, { found: false, examined: 2, limited: false, undecided: [] });
  });

  it('are none where there is no candidate', async () => {
    assert.deepEqual(await choose([], { job: 'y' }), { found: false, examined: 0, limited: false, undecided: [] });
  });

  it('are of no matter once one is found', async () => {
    const choice = await choose([run(), run({ job: 'y', build: '1' })], { job: 'y' });
    assert.equal(chosen(choice), '1');
  });
});
