import { subject } from '../../fixtures/github/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import { outcomes } from '../../plugins/github.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  queued: 'queued',
  requested: 'queued',
  pending: 'queued',
  waiting: 'waiting',
  action_required: 'waiting',
  in_progress: 'running',
  completed: 'running',
  success: 'passed',
  neutral: 'passed',
  failure: 'failed',
  timed_out: 'failed',
  startup_failure: 'failed',
  stale: 'failed',
  cancelled: 'cancelled',
  skipped: 'skipped',
});
