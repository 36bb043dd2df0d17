import { subject } from '../../fixtures/jenkins/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import { outcomes } from '../../plugins/jenkins.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  QUEUED: 'queued',
  BUILDING: 'running',
  SUCCESS: 'passed',
  UNSTABLE: 'warned',
  FAILURE: 'failed',
  ABORTED: 'cancelled',
  NOT_BUILT: 'skipped',
});
