import assert from 'node:assert/strict';
import { subject } from '../../fixtures/bitbucket/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import bitbucket, { outcomes } from '../../plugins/bitbucket.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  PENDING: 'queued',
  PARSING: 'queued',
  READY: 'queued',
  IN_PROGRESS: 'running',
  RUNNING: 'running',
  PAUSED: 'waiting',
  HALTED: 'waiting',
  SUCCESSFUL: 'passed',
  FAILED: 'failed',
  ERROR: 'failed',
  EXPIRED: 'failed',
  STOPPED: 'cancelled',
  NOT_RUN: 'skipped',
});

describe('provider bitbucket, beside the contract', () => {
  it('shows the e-mail address of an API token as the user', async () => {
    let sent: unknown;
    const upstream = {
      json: async (_url: URL, _schema: unknown, init: { headers: unknown }) => {
        sent = init.headers;
        return { values: [] };
      },
    };
    const options = bitbucket.options.parse({ user: 'badge@example.org', token: 's3cret' });
    const query = { application: 'acme/web' };
    for await (const _ of bitbucket.executions(query, { options, upstream } as never)) assert.fail();
    assert.deepEqual(sent, { authorization: `Basic ${btoa('badge@example.org:s3cret')}` });
  });
});
