import assert from 'node:assert/strict';
import { subject } from '../../fixtures/buildbot/case.ts';
import { type Execution, matches } from '../../lib/builds/index.ts';
import type { Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import buildbot, { outcomes } from '../../plugins/buildbot.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  unclaimed: 'queued',
  incomplete: 'running',
  success: 'passed',
  warnings: 'warned',
  failure: 'failed',
  skipped: 'skipped',
  exception: 'failed',
  retry: 'skipped',
  cancelled: 'cancelled',
});

describe('buildbot', () => {
  async function read(properties: object, more: object = {}, commit?: string): Promise<Execution> {
    const build = { buildid: 1, builderid: 7, number: 1, complete: true, results: 0, properties, ...more };
    const upstream = {
      json: async (url: URL, schema: { parse(value: unknown): unknown }) =>
        schema.parse(url.pathname.endsWith('/ok') ? { builders: [{ builderid: 7 }] } : { builds: [build] }),
    } as unknown as Upstream;
    const options = buildbot.options.parse({ url: 'https://ci.test' });
    const [execution] = await Array.fromAsync(
      buildbot.executions({ application: 'ok', build: '1', commit }, { options, upstream }),
    );
    assert.ok(execution);
    return execution;
  }

  it('finds the commit among those of several repositories', async () => {
    const got_revision = [{ app: 'a'.repeat(40), docs: 'b'.repeat(40) }, 'Git'];
    assert.equal((await read({ got_revision })).commit, 'a'.repeat(40));
    assert.equal((await read({ got_revision }, {}, 'bbbbbbb')).commit, 'b'.repeat(40));
  });

  it('has no branch and no commit where the properties are empty', async () => {
    for (const empty of [null, '']) {
      const { branch, commit } = await read({ branch: [empty, 'Build'], revision: [empty, 'Build'] });
      assert.deepEqual([branch, commit], [undefined, undefined]);
    }
  });

  it('passes over pull requests that nobody asked for', async () => {
    const execution = await read({ branch: ['refs/pull/5/merge', 'Build'] });
    assert.equal(matches({}, execution), false);
    assert.equal(matches({ branch: 'refs/pull/5/merge' }, execution), true);
  });

  it('does not guess what an unheard-of result means', async () => {
    const { outcome, status } = await read({}, { results: 7 });
    assert.deepEqual([outcome, status], ['unknown', 'results 7']);
  });
});
