import { subject } from '../../fixtures/codemagic/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import { outcomes } from '../../plugins/codemagic.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  initializing: 'queued',
  queued: 'queued',
  waiting: 'queued',
  preparing: 'running',
  fetching: 'running',
  testing: 'running',
  building: 'running',
  publishing: 'running',
  finishing: 'running',
  finished: 'passed',
  warning: 'warned',
  failed: 'failed',
  timeout: 'failed',
  canceled: 'cancelled',
  skipped: 'skipped',
});
