import { subject } from '../../fixtures/gitea/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import { outcomes } from '../../plugins/gitea.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  queued: 'queued',
  requested: 'queued',
  pending: 'queued',
  waiting: 'waiting',
  in_progress: 'running',
  completed: 'running',
  success: 'passed',
  failure: 'failed',
  cancelled: 'cancelled',
  skipped: 'skipped',
});
