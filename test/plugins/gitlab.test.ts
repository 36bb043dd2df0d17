import { subject } from '../../fixtures/gitlab/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import { outcomes } from '../../plugins/gitlab.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  created: 'queued',
  waiting_for_resource: 'queued',
  preparing: 'queued',
  pending: 'queued',
  scheduled: 'queued',
  manual: 'waiting',
  running: 'running',
  canceling: 'running',
  waiting_for_callback: 'running',
  success: 'passed',
  'success-with-warnings': 'warned',
  failed: 'failed',
  canceled: 'cancelled',
  skipped: 'skipped',
});
