import assert from 'node:assert/strict';
import nock from 'nock';
import { subject } from '../../fixtures/bitrise/case.ts';
import { createUpstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider, readFixture } from '../../lib/providers/testing.ts';
import bitrise, { outcomes } from '../../plugins/bitrise.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  'on-hold': 'queued',
  'in-progress': 'running',
  success: 'passed',
  error: 'failed',
  aborted: 'cancelled',
  'aborted-with-success': 'warned',
});

describe('provider bitrise, page by page', () => {
  afterEach(() => nock.cleanAll());

  it('goes on from the build that the page names as the next', async () => {
    const page = JSON.parse(readFixture('bitrise', 'builds-recorded.json'));
    const first = { ...page, paging: { ...page.paging, next: '4fa1441c5406f543' } };
    nock('https://ci.test').get('/v0.1/apps/a2b473cfa869c525/builds?limit=10').reply(200, first);
    nock('https://ci.test')
      .get('/v0.1/apps/a2b473cfa869c525/builds?limit=10&next=4fa1441c5406f543')
      .reply(200, { ...page, data: [] });
    const upstream = createUpstream({ origin: 'https://ci.test', userAgent: 'signalbox/test' });
    const options = bitrise.options.parse(subject.options);
    const builds: (string | undefined)[] = [];
    for await (const { build } of bitrise.executions({ application: 'a2b473cfa869c525' }, { options, upstream })) {
      builds.push(build);
    }
    await upstream.close();
    assert.deepEqual(builds, ['99999', '100000']);
    assert.equal(nock.isDone(), true);
  });
});
