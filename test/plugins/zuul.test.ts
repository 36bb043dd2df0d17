import assert from 'node:assert/strict';
import { subject } from '../../fixtures/zuul/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import zuul, { outcomes } from '../../plugins/zuul.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  IN_PROGRESS: 'running',
  RETRY: 'running',
  SUCCESS: 'passed',
  FAILURE: 'failed',
  POST_FAILURE: 'failed',
  TIMED_OUT: 'failed',
  RETRY_LIMIT: 'failed',
  NODE_FAILURE: 'failed',
  DISK_FULL: 'failed',
  ERROR: 'failed',
  CONFIG_ERROR: 'failed',
  MERGE_CONFLICT: 'failed',
  MERGER_FAILURE: 'failed',
  LOST: 'failed',
  ABORTED: 'cancelled',
  CANCELED: 'cancelled',
  DEQUEUED: 'cancelled',
  SKIPPED: 'skipped',
  NO_JOBS: 'skipped',
});

describe('zuul: what it asks', () => {
  const sha = 'a'.repeat(40);
  const cases: readonly [object, readonly string[]][] = [
    [{ tag: 'v1' }, ['?project=a&ref=refs%2Ftags%2Fv1&limit=100&skip=0']],
    [{ release: 'v1' }, ['?project=a&branch=v1&limit=100&skip=0', '?project=a&ref=refs%2Ftags%2Fv1&limit=100&skip=0']],
    [{ commit: sha }, [`?project=a&newrev=${sha}&limit=100&skip=0`, `?project=a&patchset=${sha}&limit=100&skip=0`]],
  ];
  for (const [filters, expected] of cases) {
    it(`${JSON.stringify(filters)}, of a server of one tenant`, async () => {
      const asked: string[] = [];
      const json = async (url: URL) => {
        asked.push(url.href.replace('https://ci.test/api/buildsets', ''));
        const refs = [{ project: 'b' }, { project: 'a', ref: 'refs/tags/v1', newrev: sha }];
        return [{ uuid: 'u', result: 'SUCCESS', refs }];
      };
      const context = { options: zuul.options.parse({ url: 'https://ci.test' }), upstream: { json } as never };
      for await (const { application, tag, commit, pages } of zuul.executions(
        { application: 'a', ...filters },
        context,
      )) {
        assert.deepEqual([application, tag, commit], ['a', 'v1', sha]);
        assert.equal(pages.build, 'https://ci.test/buildset/u');
      }
      assert.deepEqual(asked, expected);
    });
  }
});
