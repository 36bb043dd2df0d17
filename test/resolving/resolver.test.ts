import assert from 'node:assert/strict';
import type { Choice, Execution, State } from '../../lib/builds/index.ts';
import { BadRequest, UpstreamError, UpstreamLimited } from '../../lib/providers/index.ts';
import { createResolver, DEFAULT_FRESHNESS, holds, type Resolution } from '../../lib/resolving/index.ts';
import type { Route, Source } from '../../lib/sources/index.ts';

const SECOND = 1_000;
const NONE: Choice = { found: false, examined: 0, limited: false, undecided: [] };

function found(state: State): Choice {
  const execution: Execution = { outcome: 'passed', status: state, application: 'web', pages: {} };
  return { found: true, execution, state };
}

/** A source that says what it is told, counts how often it is asked, and waits until it is let go. */
function createFake(name = 'ci') {
  const fake = {
    answer: found('success') as Choice | Error,
    asked: 0,
    gate: Promise.resolve(),
    hold() {
      let release = () => {};
      fake.gate = new Promise((resolve) => {
        release = () => resolve();
      });
      return release;
    },
    source: {
      name,
      async ask() {
        fake.asked += 1;
        const { answer, gate } = fake;
        await gate;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    } as unknown as Source,
  };
  return fake;
}

describe('resolver', () => {
  let time: number;
  let fake: ReturnType<typeof createFake>;
  let find: () => Promise<Resolution>;
  let resolver: ReturnType<typeof createResolver>;

  beforeEach(() => {
    time = Date.parse('2026-01-01');
    fake = createFake();
    resolver = createResolver({ now: () => time, freshness: { ...DEFAULT_FRESHNESS, patienceMs: 50 } });
    const route: Route = { source: fake.source, query: { application: 'web' } };
    find = async () => resolver.find([route]);
  });

  it('asks once for all who wait', async () => {
    const release = fake.hold();
    const crowd = Promise.all(Array.from({ length: 500 }, find));
    release();
    assert.ok((await crowd).every(({ state }) => state === 'success'));
    assert.equal(fake.asked, 1);
  });

  const LIVES: [State, number, number][] = [
    ['pending', 10, 60],
    ['running', 10, 60],
    ['success', 60, 300],
    ['warning', 60, 300],
    ['error', 60, 300],
  ];
  for (const [state, freshSeconds, servableSeconds] of LIVES) {
    it(`keeps ${state} for ${freshSeconds} s, and gives it for ${servableSeconds} s while it asks again`, async () => {
      fake.answer = found(state);
      await find();
      time += freshSeconds * SECOND - 1;
      assert.equal((await find()).cache, 'hit');
      assert.equal(fake.asked, 1);
      time += 1;
      fake.answer = found('unknown');
      assert.equal((await find()).state, state);
      assert.equal(fake.asked, 2);
      assert.equal((await find()).state, 'unknown');
      fake.answer = found(state);
      time += 1_000 * SECOND;
      await find();
      time += servableSeconds * SECOND;
      fake.answer = found('unknown');
      assert.equal((await find()).state, 'unknown');
    });
  }

  it('asks again for a build that was not there after 30 s, and waits for it', async () => {
    fake.answer = NONE;
    const { state, reason } = await find();
    assert.deepEqual([state, reason], ['unknown', 'no-match']);
    time += 30 * SECOND - 1;
    await find();
    assert.equal(fake.asked, 1);
    time += 1;
    fake.answer = found('success');
    assert.equal((await find()).state, 'success');
  });

  it('tells none among the newest from none at all', async () => {
    fake.answer = { found: false, examined: 100, limited: true, undecided: [] };
    const { reason, detail } = await find();
    assert.equal(reason, 'not-among-newest');
    assert.match(detail ?? '', /newest 100/);
  });

  it('shows what was wrong with the question', async () => {
    fake.answer = new BadRequest('owner/repository was wanted');
    const { reason, detail } = await find();
    assert.deepEqual([reason, detail], ['bad-request', 'owner/repository was wanted']);
  });

  describe('while the CI cannot be asked', () => {
    const outage = new UpstreamError('down');

    it('gives the last known state, marked stale, for 24 hours', async () => {
      const askedAt = new Date(time);
      await find();
      fake.answer = outage;
      time += 301 * SECOND;
      const stale = await find();
      assert.deepEqual([stale.state, stale.stale, stale.reason], ['success', true, 'upstream-unreachable']);
      assert.deepEqual(stale.askedAt, askedAt);
      time = askedAt.getTime() + 24 * 3600 * SECOND;
      const gone = await find();
      assert.deepEqual([gone.state, gone.stale], ['unknown', false]);
    });

    it('tries again after 5 s, then 10, doubling to a minute', async () => {
      fake.answer = outage;
      const pauses: number[] = [];
      for (let failure = 0; failure < 6; failure += 1) {
        const { freshUntil } = await find();
        pauses.push((freshUntil - time) / SECOND);
        const asked = fake.asked;
        time = freshUntil - 1;
        await find();
        assert.equal(fake.asked, asked, 'asked within the pause');
        time = freshUntil;
      }
      assert.deepEqual(pauses, [5, 10, 20, 40, 60, 60]);
    });

    it('waits as long as the backend asks for', async () => {
      fake.answer = new UpstreamLimited('slow down', new Date(time + 120 * SECOND));
      assert.equal((await find()).freshUntil, time + 120 * SECOND);
    });

    it('keeps to the pause although a change makes its answer old: one attempt more, and no other', async () => {
      await find();
      fake.answer = new UpstreamLimited('slow down', new Date(time + 120 * SECOND));
      resolver.expire('ci', 'web');
      for (let request = 0; request < 5; request += 1) {
        const { state, stale, reason } = await find();
        assert.deepEqual([state, stale, reason], ['success', true, 'upstream-limited']);
      }
      assert.equal(fake.asked, 2);
      time += 120 * SECOND;
      fake.answer = found('error');
      assert.equal((await find()).state, 'error');
    });

    it('is asked at once when something changed within the pause', async () => {
      await find();
      fake.answer = outage;
      time += 301 * SECOND;
      await find();
      fake.answer = found('error');
      resolver.expire('ci', 'web');
      const { state, stale } = await find();
      assert.deepEqual([state, stale], ['error', false]);
    });

    it('starts with the shortest pause after it was back', async () => {
      for (const answer of [outage, outage, found('success'), outage]) {
        fake.answer = answer;
        const { freshUntil } = await find();
        time = freshUntil + 301 * SECOND;
      }
      await find();
      assert.equal((await find()).freshUntil - time, 10 * SECOND);
    });

    it('gives a moving state that is long past for as long', async () => {
      fake.answer = found('running');
      await find();
      fake.answer = outage;
      time += 3_600 * SECOND;
      const { state, stale } = await find();
      assert.deepEqual([state, stale], ['running', true]);
    });

    it('does not give a build that was not there for its last state', async () => {
      fake.answer = NONE;
      await find();
      fake.answer = outage;
      time += 31 * SECOND;
      const { state, reason, execution } = await find();
      assert.deepEqual([state, reason, execution], ['unknown', 'upstream-unreachable', undefined]);
    });

    it('asks once for all who wait, and none of them asks again', async () => {
      fake.answer = outage;
      const crowd = await Promise.all(Array.from({ length: 100 }, find));
      assert.deepEqual([...new Set(crowd.map(({ reason }) => reason))], ['upstream-unreachable']);
      assert.equal(fake.asked, 1);
    });

    it('tells of it, and of what is nobody’s fault but ours as a bug', async () => {
      const told: unknown[] = [];
      const bug = new TypeError('a bug');
      const teller = createResolver({
        now: () => time,
        onFailure: (source, error) => told.push(source, error),
        onBug: (error) => told.push('bug', error),
      });
      const routes = [{ source: fake.source, query: {} }];
      fake.answer = outage;
      await teller.find(routes);
      time += 5 * SECOND;
      fake.answer = bug;
      const { reason } = await teller.find(routes);
      assert.deepEqual(told, ['ci', outage, 'bug', bug]);
      assert.equal(reason, 'internal-error');
    });

    it('follows when the CI is back', async () => {
      await find();
      fake.answer = outage;
      time += 301 * SECOND;
      await find();
      fake.answer = found('error');
      time += 5 * SECOND;
      await find();
      const { state, stale, reason } = await find();
      assert.deepEqual([state, stale, reason], ['error', false, undefined]);
    });
  });

  describe('patience', () => {
    it('ends with unknown when nothing is known, for a moment', async () => {
      const release = fake.hold();
      const { state, reason, freshUntil } = await find();
      assert.deepEqual([state, reason, freshUntil], ['unknown', 'timeout', time + SECOND]);
      release();
    });

    it('ends with the last known state', async () => {
      await find();
      time += 301 * SECOND;
      const release = fake.hold();
      const { state, reason, stale } = await find();
      assert.deepEqual([state, reason, stale], ['success', 'timeout', true]);
      release();
    });
  });

  describe('an answer that comes after patience', () => {
    it('is there for the next who asks', async () => {
      const release = fake.hold();
      assert.equal((await find()).reason, 'timeout');
      release();
      assert.equal((await find()).state, 'success');
      assert.equal((await find()).cache, 'hit');
      assert.equal(fake.asked, 1);
    });
  });

  describe('a change', () => {
    it('is asked for at once', async () => {
      const before = await find();
      fake.answer = found('error');
      resolver.expire('ci', 'WEB');
      assert.equal(holds(before.seen), false);
      assert.equal((await find()).state, 'error');
    });

    it('of the whole source, and of another, do what they say', async () => {
      await find();
      resolver.expire('another', 'web');
      resolver.expire('ci', 'another');
      await find();
      assert.equal(fake.asked, 1);
      resolver.expire('ci');
      await find();
      assert.equal(fake.asked, 2);
    });

    it('during a question makes its answer no answer for those who come later', async () => {
      const release = fake.hold();
      const early = find();
      fake.answer = found('error');
      resolver.expire('ci', 'web');
      const late = find();
      assert.equal(fake.asked, 2);
      release();
      assert.equal((await late).state, 'error');
      await early;
      assert.equal((await find()).state, 'error');
    });

    for (const [what, late] of [
      ['answer', found('running')],
      ['failure', new UpstreamError('down')],
    ] as const) {
      it(`during a question: its ${what}, when it comes last, covers nothing that is newer`, async () => {
        fake.answer = late;
        const release = fake.hold();
        const early = find();
        resolver.expire('ci', 'web');
        fake.answer = found('success');
        fake.gate = Promise.resolve();
        assert.equal((await find()).state, 'success');
        release();
        await early;
        const { state, stale, cache } = await find();
        assert.deepEqual([state, stale, cache], ['success', false, 'hit']);
        assert.equal(fake.asked, 2);
      });
    }

    it('of a source that had no such build is seen by those who got another source’s', async () => {
      const second = createFake('second');
      fake.answer = NONE;
      const routes = [fake, second].map(({ source }) => ({ source, query: { application: 'web' } }));
      const answer = await resolver.find(routes);
      assert.deepEqual([answer.source, answer.freshUntil], ['second', time + 30 * SECOND]);
      resolver.expire('ci', 'web');
      assert.equal(holds(answer.seen), false);
    });
  });

  describe('several sources', () => {
    const second = () => createFake('second');
    const routesOf = (...fakes: ReturnType<typeof createFake>[]) =>
      fakes.map(({ source }) => ({ source, query: { application: 'web' } }));

    it('are asked in turn, until one has an answer', async () => {
      const [other, third] = [second(), createFake('third')];
      fake.answer = NONE;
      const { state, source } = await resolver.find(routesOf(fake, other, third));
      assert.deepEqual([state, source], ['success', 'second']);
      assert.deepEqual([fake.asked, other.asked, third.asked], [1, 1, 0]);
    });

    const tellings: readonly [string, Choice | Error, Choice | Error, string][] = [
      ['one that is down', NONE, new UpstreamError('down'), 'upstream-unreachable'],
      ['one that is down', new UpstreamError('down'), NONE, 'upstream-unreachable'],
      ['none', NONE, NONE, 'no-match'],
    ];
    for (const [what, one, two, reason] of tellings) {
      it(`without an answer tell of ${what}`, async () => {
        const other = second();
        [fake.answer, other.answer] = [one, two];
        assert.equal((await resolver.find(routesOf(fake, other))).reason, reason);
      });
    }

    it('of one name and another query are asked for each', async () => {
      await resolver.find([{ source: fake.source, query: { application: 'web', branch: 'a' } }]);
      await resolver.find([{ source: fake.source, query: { application: 'web', tag: 'a' } }]);
      assert.equal(fake.asked, 2);
    });

    it('may each have a freshness of their own', async () => {
      const quick = { ...DEFAULT_FRESHNESS, settledMs: 1 };
      const own = createResolver({ now: () => time, freshnessOf: { second: quick } });
      const [{ freshUntil: usual }, { freshUntil: short }] = [
        await own.find(routesOf(fake)),
        await own.find(routesOf(second())),
      ];
      assert.deepEqual([usual - time, short - time], [60 * SECOND, 1]);
    });

    it('are none: nothing matches', async () => {
      const { state, reason } = await resolver.find([]);
      assert.deepEqual([state, reason], ['unknown', 'no-match']);
    });
  });

  it('forgets what was asked for least lately beyond its number of entries', async () => {
    const small = createResolver({ now: () => time, entries: 2 });
    const ask = (build: string) => small.find([{ source: fake.source, query: { build } }]);
    for (const build of ['1', '2', '1', '3', '1', '2']) await ask(build);
    assert.equal(fake.asked, 4);
  });
});
