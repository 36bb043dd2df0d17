import assert from 'node:assert/strict';
import { subject } from '../../fixtures/tekton/case.ts';
import { BadRequest, type ProviderQuery, readFixture, UpstreamError } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import tekton, { outcomes } from '../../plugins/tekton.ts';

/** What labels and annotations of Pipelines as Code begin with. */
const PAC = 'pipelinesascode.tekton.dev/';

describeProvider(subject);
describeOutcomes(outcomes, {
  Unknown: 'running',
  'Unknown Pending': 'queued',
  'Unknown Started': 'queued',
  'Unknown ResolvingPipelineRef': 'queued',
  'Unknown PipelineRunPending': 'waiting',
  True: 'passed',
  False: 'failed',
  'False Cancelled': 'cancelled',
  'False PipelineRunCancelled': 'cancelled',
  'False TaskRunCancelled': 'cancelled',
});

describe('tekton: what it lists', () => {
  const run = JSON.parse(readFixture('tekton', 'pipelinerun-v1-failed.json')) as { metadata: object };

  /** Asks a cluster that answers `pages` one after the other. */
  async function ask(query: ProviderQuery, pages: readonly object[]) {
    const asked: string[] = [];
    const json = async (url: URL, schema: { parse(value: unknown): unknown }) => {
      asked.push(url.search);
      return schema.parse(pages[Math.min(asked.length, pages.length) - 1]);
    };
    const options = tekton.options.parse({ url: 'https://ci.test', label: `${PAC}repository` });
    const found = [];
    for await (const execution of tekton.executions(query, { options, upstream: { json } as never })) {
      found.push(execution);
    }
    return { asked, found };
  }
  const created = (name: string, creationTimestamp: string) => ({
    ...run,
    metadata: { ...run.metadata, name, creationTimestamp },
  });

  it('all pages, and gives the newest first', async () => {
    const { asked, found } = await ask({ application: 'ns/web' }, [
      { metadata: { continue: 'token' }, items: [created('old', '2026-01-01T00:00:00Z')] },
      { metadata: { continue: '' }, items: [created('new', '2026-01-02T00:00:00Z')] },
    ]);
    assert.deepEqual(
      found.map(({ build }) => build),
      ['new', 'old'],
    );
    const selector = `?labelSelector=${encodeURIComponent(`${PAC}repository=web`)}&limit=100`;
    assert.deepEqual(asked, [selector, `${selector}&continue=token`]);
  });

  it('no wrong newest one where there are too many', async () => {
    const items = Array.from({ length: 100 }, () => run);
    await assert.rejects(ask({ application: 'ns/web' }, [{ metadata: { continue: 'x' }, items }]), UpstreamError);
  });

  it('nothing for a name that would be another selector', async () => {
    await assert.rejects(ask({ application: 'ns/web,other=1' }, []), BadRequest);
  });

  const events: readonly [Record<string, string>, Record<string, string>, object][] = [
    [
      { [`${PAC}event-type`]: 'push', [`${PAC}pull-request`]: '7', [`${PAC}original-prname`]: 'on-push' },
      { [`${PAC}source-branch`]: 'refs/heads/main', [`${PAC}log-url`]: 'https://console.test/run' },
      { branch: 'main', tag: undefined, pullRequest: false, workflow: 'on-push', page: 'https://console.test/run' },
    ],
    [
      { [`${PAC}event-type`]: 'push' },
      { [`${PAC}source-branch`]: 'refs/tags/v1', [`${PAC}sha`]: 'a'.repeat(40) },
      { branch: undefined, tag: 'v1', commit: 'a'.repeat(40), pullRequest: false },
    ],
    [
      { [`${PAC}event-type`]: 'pull_request', [`${PAC}pull-request`]: '7' },
      { [`${PAC}source-branch`]: 'feature/x' },
      { branch: 'feature/x', pullRequest: true },
    ],
  ];
  for (const [labels, annotations, expected] of events) {
    it(`what Pipelines as Code says of ${annotations[`${PAC}source-branch`]}`, async () => {
      const items = [{ ...run, metadata: { ...run.metadata, labels, annotations } }];
      const { found } = await ask({ application: 'ns/web' }, [{ metadata: {}, items }]);
      const facts = { ...found[0], page: found[0]?.pages.build };
      assert.deepEqual({ ...facts, ...expected }, facts);
    });
  }
});
