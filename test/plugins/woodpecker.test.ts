import assert from 'node:assert/strict';
import { subject } from '../../fixtures/woodpecker/case.ts';
import type { ProviderQuery } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import woodpecker, { outcomes } from '../../plugins/woodpecker.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  created: 'queued',
  pending: 'queued',
  blocked: 'waiting',
  running: 'running',
  success: 'passed',
  failure: 'failed',
  error: 'failed',
  killed: 'cancelled',
  canceled: 'cancelled',
  declined: 'cancelled',
  skipped: 'skipped',
});

describe('woodpecker: what it asks', () => {
  const cases: readonly [ProviderQuery, readonly string[]][] = [
    [
      { application: 'group/sub/web', tag: 'v1.0' },
      ['lookup/group/sub/web', '7/pipelines?ref=refs%2Ftags%2Fv1.0&perPage=10&page=1'],
    ],
    [{ application: '7', applicationId: '7', build: '3' }, ['7/pipelines/3']],
    [{ application: '7', applicationId: '7', build: 'latest' }, []],
  ];
  for (const [query, expected] of cases) {
    it(JSON.stringify(query), async () => {
      const asked: string[] = [];
      const json = async (url: URL) => {
        asked.push(url.href.replace('https://ci.test/api/repos/', ''));
        return url.search
          ? []
          : { id: 7, number: 3, status: 'success', ref: 'refs/tags/v1.0', created_at: new Date(0) };
      };
      const context = { options: woodpecker.options.parse({ url: 'https://ci.test' }), upstream: { json } as never };
      for await (const { tag, queuedAt } of woodpecker.executions(query, context)) {
        assert.deepEqual({ tag, queuedAt }, { tag: 'v1.0', queuedAt: new Date(0) });
      }
      assert.deepEqual(asked, expected);
    });
  }
});
