import assert from 'node:assert/strict';
import { subject } from '../../fixtures/laminar/case.ts';
import type { Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import laminar, { outcomes } from '../../plugins/laminar.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  queued: 'queued',
  running: 'running',
  success: 'passed',
  failed: 'failed',
  aborted: 'cancelled',
});

describe('laminar', () => {
  it('does not ask for a run that is no number: the server would answer with another', async () => {
    const options = laminar.options.parse({ url: 'https://ci.test' });
    const executions = laminar.executions({ application: 'hello', build: '1x' }, { options, upstream: {} as Upstream });
    assert.deepEqual(await Array.fromAsync(executions), []);
  });
});
