import assert from 'node:assert/strict';
import nock from 'nock';
import { subject } from '../../fixtures/vercel/case.ts';
import type { Execution } from '../../lib/builds/index.ts';
import { createUpstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider, readFixture } from '../../lib/providers/testing.ts';
import vercel, { outcomes } from '../../plugins/vercel.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  INITIALIZING: 'queued',
  QUEUED: 'queued',
  BLOCKED: 'waiting',
  BUILDING: 'running',
  READY: 'passed',
  CHECKS_FAILED: 'warned',
  ERROR: 'failed',
  CANCELED: 'cancelled',
  IGNORED: 'skipped',
  DELETED: 'skipped',
});

describe('provider vercel, deployment by deployment', () => {
  const page = JSON.parse(readFixture('vercel', 'deployments-other-states.documented.json'));
  const [ready] = page.deployments;
  const options = vercel.options.parse({ ...subject.options, team: 'team_1' });
  const upstream = createUpstream({ origin: 'https://ci.test', userAgent: 'signalbox/test' });
  const ask = async () => {
    const found: Execution[] = [];
    const query = { application: 'hey-seller', branch: 'develop' };
    for await (const execution of vercel.executions(query, { options, upstream })) found.push(execution);
    return found;
  };
  const first = '/v7/deployments?teamId=team_1&app=hey-seller&branch=develop&limit=20';

  afterEach(() => nock.cleanAll());
  after(() => upstream.close());

  it('asks for the next page until when this one says', async () => {
    nock('https://ci.test')
      .get(first)
      .reply(200, { ...page, pagination: { next: 1726803317459 } });
    nock('https://ci.test')
      .get(`${first}&until=1726803317459`)
      .reply(200, { ...page, pagination: { next: null } });
    assert.equal((await ask()).length, 8);
    assert.equal(nock.isDone(), true);
  });

  it('warns of checks that failed', async () => {
    nock('https://ci.test')
      .get(first)
      .reply(200, { deployments: [{ ...ready, checksConclusion: 'failed' }] });
    const [execution] = await ask();
    assert.equal(execution?.outcome, 'warned');
  });

  it("takes a fork's branch for a pull request", async () => {
    const meta = { ...ready.meta, githubCommitOrg: 'a-stranger' };
    nock('https://ci.test')
      .get(first)
      .reply(200, { deployments: [{ ...ready, meta }] });
    const [execution] = await ask();
    assert.equal(execution?.pullRequest, true);
  });
});
