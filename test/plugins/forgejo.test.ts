import { subject } from '../../fixtures/forgejo/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import { outcomes } from '../../plugins/forgejo.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  waiting: 'queued',
  blocked: 'waiting',
  running: 'running',
  success: 'passed',
  failure: 'failed',
  cancelled: 'cancelled',
  skipped: 'skipped',
  unknown: 'unknown',
});
