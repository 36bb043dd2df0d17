import { subject } from '../../fixtures/buildmaster/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import { outcomes } from '../../plugins/buildmaster.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  active: 'queued',
  pending: 'queued',
  executing: 'running',
  succeeded: 'passed',
  warned: 'warned',
  failed: 'failed',
});
