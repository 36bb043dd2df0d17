import assert from 'node:assert/strict';
import { subject } from '../../fixtures/buildmaster-badges/case.ts';
import { UpstreamError } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import badges, { outcomes } from '../../plugins/buildmaster-badges.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  success: 'passed',
  pending: 'queued',
  running: 'running',
  warning: 'warned',
  error: 'failed',
});

describe('buildmaster-badges: another Signalbox', () => {
  async function ask(headers: Record<string, string>, svg = '<svg/>', query = {}) {
    const asked: string[] = [];
    const text = async (url: URL) => {
      asked.push(url.search);
      return { text: svg, headers };
    };
    const options = badges.options.parse({ url: 'https://ci.test', token: 's3cret' });
    const found = [];
    const context = { options, upstream: { text } as never };
    for await (const execution of badges.executions({ application: 'web', ...query }, context)) found.push(execution);
    return { asked, found };
  }

  it('tells the state in a header, whatever was drawn', async () => {
    const { found } = await ask({ 'badge-state': 'running' }, '<svg><title>ci: success</title></svg>');
    assert.deepEqual(
      found.map(({ outcome }) => outcome),
      ['running'],
    );
  });

  it('has links to its root, and no key, without a key that may be shown', async () => {
    const { found } = await ask({ 'badge-state': 'success' });
    assert.deepEqual(found[0]?.pages, { build: 'https://ci.test' });
  });

  it('is asked for what has ended', async () => {
    const { asked } = await ask({ 'badge-state': 'success' }, '<svg/>', { finished: true });
    assert.deepEqual(asked, ['?%24ApplicationName=web&finished=true']);
  });

  it('finds nothing where that found nothing, and fails where that could not ask', async () => {
    const { found } = await ask({ 'badge-state': 'unknown', 'badge-reason': 'no-match' });
    assert.deepEqual(found, []);
    await assert.rejects(ask({ 'badge-state': 'unknown', 'badge-reason': 'upstream-unreachable' }), UpstreamError);
  });

  it('fails on a picture that is none of the six', async () => {
    await assert.rejects(ask({}, '<svg><title>coverage: 80%</title></svg>'), UpstreamError);
  });
});
