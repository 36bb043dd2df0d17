import assert from 'node:assert/strict';
import { subject } from '../../fixtures/buildkite/case.ts';
import { Secret, type Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider, readFixture } from '../../lib/providers/testing.ts';
import buildkite, { outcomes } from '../../plugins/buildkite.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  creating: 'queued',
  pending: 'queued',
  scheduled: 'queued',
  waiting: 'queued',
  limiting: 'queued',
  limited: 'queued',
  assigned: 'queued',
  accepted: 'queued',
  blocked: 'waiting',
  running: 'running',
  failing: 'running',
  canceling: 'running',
  timing_out: 'running',
  passed: 'passed',
  unblocked: 'passed',
  soft_failed: 'warned',
  failed: 'failed',
  waiting_failed: 'failed',
  blocked_failed: 'failed',
  unblocked_failed: 'failed',
  timed_out: 'failed',
  expired: 'failed',
  canceled: 'cancelled',
  skipped: 'skipped',
  not_run: 'skipped',
  broken: 'skipped',
});

describe('provider buildkite', () => {
  const passed = JSON.parse(readFixture('buildkite', 'build-passed.json'));

  /** Reads build 2 with other fields. */
  async function read(fields: object) {
    const upstream: Partial<Upstream> = { json: async (_url, schema) => schema.parse({ ...passed, ...fields }) };
    const context = { options: buildkite.options.parse(subject.options), upstream: upstream as Upstream };
    for await (const execution of buildkite.executions({ ...subject.query, build: '2' }, context)) return execution;
    return undefined;
  }

  it('counts a blocked build as its pipeline says', async () => {
    for (const [state, outcome] of [
      ['passed', 'passed'],
      ['failed', 'failed'],
      ['running', 'running'],
      ['', 'waiting'],
    ]) {
      assert.equal((await read({ blocked: true, blocked_state: state }))?.outcome, outcome);
    }
  });

  it('has environment and meta-data as variables', async () => {
    const execution = await read({ env: { DEPLOY: 'no' }, meta_data: { 'release-version': '1.1' } });
    assert.deepEqual(execution?.variables, { DEPLOY: 'no', 'release-version': '1.1' });
  });

  it('takes the token of a webhook as it stands', () => {
    const request = { headers: { 'x-buildkite-token': 's3cret' }, query: {}, body: Buffer.from('{}') };
    assert.equal(buildkite.webhook?.verify(request, new Secret('s3cret')), true);
    assert.equal(buildkite.webhook?.verify(request, new Secret('another')), false);
  });
});
