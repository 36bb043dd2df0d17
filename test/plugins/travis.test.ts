import { subject } from '../../fixtures/travis/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import { outcomes } from '../../plugins/travis.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  created: 'queued',
  queued: 'queued',
  received: 'queued',
  configured: 'queued',
  started: 'running',
  passed: 'passed',
  allowed_failure: 'warned',
  failed: 'failed',
  errored: 'failed',
  canceled: 'cancelled',
});
