import assert from 'node:assert/strict';
import { subject } from '../../fixtures/circleci/case.ts';
import { Secret, type Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider, readFixture } from '../../lib/providers/testing.ts';
import circleci, { outcomes } from '../../plugins/circleci.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  failed: 'failed',
  error: 'failed',
  errored: 'failed',
  unauthorized: 'failed',
  running: 'running',
  failing: 'running',
  setup: 'running',
  queued: 'queued',
  pending: 'queued',
  'setup-pending': 'queued',
  on_hold: 'waiting',
  canceled: 'cancelled',
  success: 'passed',
  not_run: 'skipped',
  created: 'skipped',
});

describe('provider circleci', () => {
  const pipeline = JSON.parse(readFixture('circleci', 'pipeline-created.json'));
  const [workflow] = JSON.parse(readFixture('circleci', 'pipeline-9-workflow-success.json')).items;
  const options = circleci.options.parse(subject.options);

  /** What stands for the pipeline when it has these workflows: name, status and second of creation. */
  async function workflowOf(...workflows: [string, string, number][]): Promise<string | undefined> {
    const items = workflows.map(([name, status, second]) => {
      return { ...workflow, name, status, created_at: `2023-03-25T18:13:0${second}Z` };
    });
    const upstream: Partial<Upstream> = {
      json: async (url, schema) => schema.parse(url.pathname.endsWith('/workflow') ? { items } : pipeline),
    };
    const query = { application: 'gh/coldgust/coldgust.github.io', build: '9' };
    const context = { options, upstream: upstream as Upstream };
    for await (const { workflow: name, status } of circleci.executions(query, context)) return `${name} ${status}`;
    return undefined;
  }

  it('counts the newest workflow of each name', async () => {
    assert.equal(await workflowOf(['build', 'success', 2], ['build', 'failed', 1]), 'build success');
    assert.equal(await workflowOf(['build', 'failed', 1], ['build', 'success', 2]), 'build success');
  });

  it('shows the gravest of several workflows', async () => {
    assert.equal(await workflowOf(['a', 'success', 1], ['b', 'failed', 2], ['c', 'running', 3]), 'b failed');
    assert.equal(await workflowOf(['a', 'success', 1], ['b', 'on_hold', 2], ['c', 'not_run', 3]), 'b on_hold');
    assert.equal(await workflowOf(['a', 'not_run', 1], ['b', 'success', 2]), 'b success');
  });

  it('agrees with the documented signatures', () => {
    for (const [body, key, hex] of [
      ['hello world', 'secret', '734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a'],
      ['lalala', 'another-secret', 'daa220016c8f29a8b214fbfc3671aeec2145cfb1e6790184ffb38b6d0425fa00'],
    ] as const) {
      const request = { headers: { 'circleci-signature': `v1=${hex}` }, query: {}, body: Buffer.from(body) };
      assert.equal(circleci.webhook?.verify(request, new Secret(key)), true);
    }
  });
});
