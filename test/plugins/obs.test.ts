import assert from 'node:assert/strict';
import nock from 'nock';
import { subject } from '../../fixtures/obs/case.ts';
import { createUpstream, UpstreamError } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider, readFixture } from '../../lib/providers/testing.ts';
import obs, { outcomes } from '../../plugins/obs.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  scheduled: 'queued',
  dispatching: 'queued',
  blocked: 'waiting',
  building: 'running',
  signing: 'running',
  finished: 'running',
  succeeded: 'passed',
  unchanged: 'passed',
  failed: 'failed',
  unresolvable: 'failed',
  broken: 'failed',
  disabled: 'skipped',
  excluded: 'skipped',
  locked: 'skipped',
  unknown: 'unknown',
});

describe('obs', () => {
  const query = { application: 'home:foo/obs-server/15.5/x86_64' };
  const ask = async (options: object) => {
    const upstream = createUpstream({ origin: 'https://api.opensuse.org', userAgent: 'signalbox/test' });
    const executions = obs.executions(query, { options: obs.options.parse(options), upstream });
    return Array.fromAsync(executions).finally(() => upstream.close());
  };
  const api = () => nock('https://api.opensuse.org');

  beforeEach(() => nock.disableNetConnect());
  afterEach(() => {
    nock.cleanAll();
    nock.enableNetConnect();
  });

  it('asks the public part of the API without a user, then for the finished jobs, newest first', async () => {
    api().get('/public/build/home%3Afoo/15.5/x86_64/obs-server/_status').reply(200, '<status code="building"/>');
    api()
      .get('/public/build/home%3Afoo/15.5/x86_64/_jobhistory?package=obs-server&limit=100')
      .reply(200, readFixture('obs', 'jobhistory.documented.xml'));
    const executions = await ask({});
    assert.deepEqual(
      executions.map(({ status }) => status),
      ['building', 'unchanged', 'failed', 'succeeded'],
    );
    assert.equal(
      executions[0]?.pages.application,
      'https://build.opensuse.org/package/show/home%3Afoo/obs-server',
      'the pages of openSUSE are on another host than its API',
    );
  });

  it('takes a package that was never built', async () => {
    api()
      .get(/_status$/)
      .reply(200, '<status code="excluded"/>');
    api()
      .get(/_jobhistory/)
      .reply(200, '<jobhistlist/>');
    assert.equal((await ask({})).length, 1);
  });

  it('takes 100 jobs that say a lot; of a server that sends more than it was asked for, only the state now', async () => {
    const job = `<jobhist package="obs-server" versrel="1-1" bcnt="1" code="failed" reason="${'x'.repeat(500)}"/>`;
    for (const jobs of [100, 1_000]) {
      api()
        .get(/_status$/)
        .reply(200, '<status code="building"/>');
      api()
        .get(/_jobhistory/)
        .reply(200, `<jobhistlist>${job.repeat(jobs)}</jobhistlist>`);
    }
    assert.equal((await ask({})).length, 101);
    await assert.rejects(ask({}), { name: 'UpstreamError', message: /more than 65536 bytes/ });
  });

  for (const body of ['<status', '<status/>', '<status package="foo"/>', '<other code="succeeded"/>', '']) {
    it(`fails on the XML \`${body}\``, async () => {
      api()
        .get(/_status$/)
        .reply(200, body, { 'content-type': 'text/xml' });
      await assert.rejects(ask({}), UpstreamError);
    });
  }
});
