import { subject } from '../../fixtures/docsrs/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import { outcomes } from '../../plugins/docsrs.ts';

describeProvider(subject);
describeOutcomes(outcomes, { success: 'passed', failure: 'failed' });
