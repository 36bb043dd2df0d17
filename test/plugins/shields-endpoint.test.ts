import assert from 'node:assert/strict';
import { others, subject } from '../../fixtures/shields-endpoint/case.ts';
import type { Outcome } from '../../lib/builds/index.ts';
import type { Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import shieldsEndpoint, { outcomes } from '../../plugins/shields-endpoint.ts';

for (const one of [subject, ...others]) describeProvider(one);
describeOutcomes(outcomes, {
  created: 'queued',
  initiated: 'queued',
  pending: 'queued',
  queued: 'queued',
  scheduled: 'queued',
  waiting: 'waiting',
  building: 'running',
  processing: 'running',
  running: 'running',
  starting: 'running',
  testing: 'running',
  fixed: 'passed',
  passed: 'passed',
  passing: 'passed',
  succeeded: 'passed',
  success: 'passed',
  successful: 'passed',
  'partially succeeded': 'warned',
  unstable: 'warned',
  broken: 'failed',
  error: 'failed',
  errored: 'failed',
  failed: 'failed',
  failing: 'failed',
  failure: 'failed',
  infrastructure_failure: 'failed',
  timeout: 'failed',
  aborted: 'cancelled',
  canceled: 'cancelled',
  cancelled: 'cancelled',
  expired: 'cancelled',
  stopped: 'cancelled',
  'no builds': 'skipped',
  'no tests': 'skipped',
  'not built': 'skipped',
  'not run': 'skipped',
  skipped: 'skipped',
});

describe('shields-endpoint', () => {
  const read = async (badge: object): Promise<Outcome | undefined> => {
    const upstream = { json: async (_: URL, schema: { parse(value: unknown): unknown }) => schema.parse(badge) };
    const options = shieldsEndpoint.options.parse({ url: 'https://ci.test' });
    const context = { options, upstream: upstream as unknown as Upstream };
    const [execution] = await Array.fromAsync(shieldsEndpoint.executions({ application: '' }, context));
    return execution?.outcome;
  };
  const rows: readonly [message: string, color: string | undefined, isError: boolean, outcome: Outcome][] = [
    ['PASSING', undefined, false, 'passed'],
    ['passing (3 warnings)', 'orange', false, 'passed'],
    ['partially succeeded', 'green', false, 'warned'],
    ['failed: 2 of 40', 'green', false, 'failed'],
    ['failedish', undefined, false, 'unknown'],
    ['success_rate', undefined, false, 'unknown'],
    ['not passing', 'red', false, 'failed'],
    ['92%', 'brightgreen', false, 'passed'],
    ['92%', 'success', false, 'passed'],
    ['80%', 'Yellow', false, 'warned'],
    ['80%', 'important', false, 'warned'],
    ['10%', 'critical', false, 'failed'],
    ['v1.2.3', 'blue', false, 'unknown'],
    ['v1.2.3', '#4c1', false, 'unknown'],
    ['v1.2.3', 'constructor', false, 'unknown'],
    ['constructor', undefined, false, 'unknown'],
    ['inaccessible', 'red', true, 'unknown'],
    ['failing', 'red', true, 'unknown'],
  ];
  for (const [message, color, isError, outcome] of rows) {
    it(`reads ${message} in ${color}${isError ? ', an error' : ''} as ${outcome}`, async () =>
      assert.equal(await read({ schemaVersion: 1, label: '', message, color, isError }), outcome));
  }
});
