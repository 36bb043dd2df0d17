import assert from 'node:assert/strict';
import { subject } from '../../fixtures/bamboo/case.ts';
import { matches } from '../../lib/builds/index.ts';
import type { Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import bamboo, { outcomes } from '../../plugins/bamboo.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  Pending: 'queued',
  Queued: 'queued',
  InProgress: 'running',
  Successful: 'passed',
  Failed: 'failed',
  NotBuilt: 'cancelled',
});

describe('bamboo', () => {
  it('compares variables, and logs in with a user name where there is one', async () => {
    const result = {
      key: 'SHOP-MAIN-4',
      number: 4,
      lifeCycleState: 'Finished',
      state: 'Successful',
      variables: { variable: [{ name: 'stage', value: 'live' }, { name: 'password' }] },
    };
    let authorization = '';
    const upstream = {
      json: async (_: URL, schema: { parse(value: unknown): unknown }, init: { headers: Record<string, string> }) => {
        authorization = init.headers.authorization ?? '';
        return schema.parse({ results: { result: [result] } });
      },
    } as unknown as Upstream;
    const options = bamboo.options.parse({ url: 'https://ci.test', user: 'badge', token: 's3cret' });
    const query = { application: 'SHOP-MAIN', variables: { Stage: 'live' } };
    for await (const execution of bamboo.executions(query, { options, upstream })) {
      assert.equal(matches(query, execution), true);
    }
    assert.equal(authorization, `Basic ${btoa('badge:s3cret')}`);
  });

  it('does not take a plan whose key ends in a digit for a plan, nor for a branch of one', () => {
    const read = (buildResultKey: string) =>
      bamboo.webhook?.read({ build: { buildResultKey } }, { headers: {}, query: {}, body: Buffer.alloc(0) });
    assert.deepEqual(read('SHOP-MAIN-4'), { application: 'SHOP-MAIN' });
    assert.deepEqual(read('SHOP-MAIN12-4'), {});
  });
});
