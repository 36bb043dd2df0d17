import assert from 'node:assert/strict';
import { subject } from '../../fixtures/semaphore/case.ts';
import type { Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider, readFixture } from '../../lib/providers/testing.ts';
import semaphore, { outcomes } from '../../plugins/semaphore.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  initializing: 'queued',
  pending: 'queued',
  queuing: 'queued',
  running: 'running',
  stopping: 'running',
  passed: 'passed',
  failed: 'failed',
  'stopped: timeout': 'failed',
  'stopped: stuck': 'failed',
  'stopped: internal': 'failed',
  stopped: 'cancelled',
  canceled: 'cancelled',
});

describe('provider semaphore', () => {
  const [, passed] = JSON.parse(readFixture('semaphore', 'v1alpha-pipelines-stopped-and-passed.json'));

  /** Asks for `release` where the only pipeline of the project has these fields. */
  async function ask(fields: { branch_name: string; promotion_of?: string }, release: string, workflow?: string) {
    const upstream: Partial<Upstream> = {
      json: async ({ searchParams }, schema) =>
        schema.parse(searchParams.get('branch_name') === fields.branch_name ? [{ ...passed, ...fields }] : []),
    };
    const context = { options: semaphore.options.parse(subject.options), upstream: upstream as Upstream };
    const query = { application: passed.project_id, applicationId: passed.project_id, release, workflow };
    const found = [];
    for await (const execution of semaphore.executions(query, context)) found.push(execution);
    return found;
  }

  it('looks for a ref of unknown kind among the tags, too', async () => {
    const [execution] = await ask({ branch_name: 'refs/tags/v1.0.1' }, 'v1.0.1');
    assert.equal(execution?.tag, 'v1.0.1');
    assert.equal(execution?.branch, undefined);
  });

  it('knows pull requests by the name of their branch', async () => {
    const [execution] = await ask({ branch_name: 'pull-request-3' }, 'pull-request-3');
    assert.equal(execution?.pullRequest, true);
  });

  it('passes over promotions, unless a pipeline is named', async () => {
    const promotion = { branch_name: 'main', promotion_of: '0f64a303-b156-4e82-a291-bafd58b671b7' };
    assert.equal((await ask(promotion, 'main')).length, 0);
    assert.equal((await ask(promotion, 'main', 'semaphore.yml')).length, 1);
  });
});
