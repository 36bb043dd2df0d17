import assert from 'node:assert/strict';
import { subject } from '../../fixtures/drone/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import drone, { outcomes } from '../../plugins/drone.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  pending: 'queued',
  waiting_on_dependencies: 'queued',
  blocked: 'waiting',
  running: 'running',
  started: 'running',
  success: 'passed',
  failure: 'failed',
  error: 'failed',
  killed: 'cancelled',
  declined: 'cancelled',
  skipped: 'skipped',
});

describe('drone: what it asks', () => {
  const cases: readonly [object, readonly string[]][] = [
    [{ tag: 'v1.0/rc' }, ['?tag=v1.0%2Frc&per_page=10&page=1']],
    [{ release: 'v1' }, ['?branch=v1&per_page=10&page=1', '?tag=v1&per_page=10&page=1']],
    [{ variables: { TARGET: 'production' } }, ['?per_page=100&page=1']],
    [{ build: '7' }, ['/7']],
    [{ build: 'latest' }, []],
  ];
  for (const [filters, expected] of cases) {
    it(JSON.stringify(filters), async () => {
      const asked: string[] = [];
      const json = async (url: URL) => {
        asked.push(url.href.replace('https://ci.test/ci/api/repos/a/b/builds', ''));
        return url.search ? [] : { number: 7, ref: 'refs/tags/v1.0' };
      };
      const context = { options: drone.options.parse({ url: 'https://ci.test/ci' }), upstream: { json } as never };
      for await (const { tag } of drone.executions({ application: 'a/b', ...filters }, context)) {
        assert.equal(tag, 'v1.0');
      }
      assert.deepEqual(asked, expected);
    });
  }
});
