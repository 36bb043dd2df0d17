import assert from 'node:assert/strict';
import { subject } from '../../fixtures/codefresh/case.ts';
import type { Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider, readFixture } from '../../lib/providers/testing.ts';
import codefresh, { outcomes } from '../../plugins/codefresh.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  pending: 'queued',
  elected: 'queued',
  delayed: 'queued',
  'pending-approval': 'waiting',
  running: 'running',
  terminating: 'running',
  success: 'passed',
  error: 'failed',
  denied: 'failed',
  terminated: 'cancelled',
});

describe('provider codefresh', () => {
  const pipelines = JSON.parse(readFixture('codefresh', 'pipelines.documented.json'));

  /** The addresses that a query asks. */
  async function asked(query: object): Promise<string[]> {
    const paths: string[] = [];
    const upstream: Partial<Upstream> = {
      json: async (url, schema) => {
        paths.push(url.pathname + url.search);
        return schema.parse(url.pathname.endsWith('/pipelines') ? pipelines : { workflows: { docs: [] } });
      },
    };
    const context = { options: codefresh.options.parse(subject.options), upstream: upstream as Upstream };
    for await (const _ of codefresh.executions({ ...subject.query, ...query }, context))
      assert.fail('there is no build');
    return paths;
  }

  it('has refs and full SHAs filtered by the server', async () => {
    const commit = '0d0a61033d4b7f493424d54a2d87a3f2975cdc15';
    const [, builds] = await asked({ branch: 'feature/x', commit });
    const pipeline = '60a2de7ce254622694ce7f84';
    assert.equal(
      builds,
      `/api/workflow?pipeline=${pipeline}&branchName=feature%2Fx&revision=${commit}&limit=10&page=1`,
    );
    const [, scan] = await asked({ commit: commit.slice(0, 8) });
    assert.equal(scan, `/api/workflow?pipeline=${pipeline}&limit=100&page=1`);
  });

  it('asks for the builds of no other pipeline, whatever the server thinks alike', async () => {
    assert.equal((await asked({ application: 'Plugins/test' })).length, 1);
  });
});
