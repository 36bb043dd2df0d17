import assert from 'node:assert/strict';
import { subject } from '../../fixtures/scrutinizer/case.ts';
import type { Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import scrutinizer, { outcomes } from '../../plugins/scrutinizer.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  pending: 'queued',
  running: 'running',
  passed: 'passed',
  failed: 'failed',
  errored: 'failed',
  canceled: 'cancelled',
  unknown: 'unknown',
});

describe('scrutinizer', () => {
  it('finds nothing in a repository that has no tracked branch, written as an empty list or as an empty map', async () => {
    for (const applications of [[], {}]) {
      const answer = { default_branch: 'master', applications };
      const upstream = { json: async (_: URL, schema: { parse(value: unknown): unknown }) => schema.parse(answer) };
      const options = scrutinizer.options.parse({});
      const context = { options, upstream: upstream as unknown as Upstream };
      assert.deepEqual(await Array.fromAsync(scrutinizer.executions({ application: 'gp/foo' }, context)), []);
    }
  });
});
