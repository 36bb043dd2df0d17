import assert from 'node:assert/strict';
import { subject } from '../../fixtures/appveyor/case.ts';
import type { Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import appveyor, { outcomes } from '../../plugins/appveyor.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  queued: 'queued',
  starting: 'running',
  running: 'running',
  cancelling: 'running',
  success: 'passed',
  allowed_failure: 'warned',
  failed: 'failed',
  cancelled: 'cancelled',
});

describe('provider appveyor', () => {
  it('names the account to the token of a user', async () => {
    const paths: string[] = [];
    const upstream: Partial<Upstream> = {
      json: async (url, schema) => {
        paths.push(url.pathname);
        return schema.parse({ builds: [] });
      },
    };
    const context = { options: appveyor.options.parse({ token: 'v2.s3cret' }), upstream: upstream as Upstream };
    for await (const _ of appveyor.executions({ application: 'acme/web' }, context)) assert.fail('there is no build');
    assert.deepEqual(paths, ['/api/account/acme/projects/acme/web/history']);
  });
});
