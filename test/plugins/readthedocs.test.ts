import { subject } from '../../fixtures/readthedocs/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import { outcomes } from '../../plugins/readthedocs.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  triggered: 'queued',
  cloning: 'running',
  installing: 'running',
  building: 'running',
  uploading: 'running',
  passed: 'passed',
  failed: 'failed',
  cancelled: 'cancelled',
});
