import assert from 'node:assert/strict';
import { subject } from '../../fixtures/concourse/case.ts';
import { matches } from '../../lib/builds/index.ts';
import { BadRequest, type Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import concourse, { outcomes } from '../../plugins/concourse.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  pending: 'queued',
  started: 'running',
  succeeded: 'passed',
  failed: 'failed',
  errored: 'failed',
  aborted: 'cancelled',
});

describe('concourse', () => {
  const options = concourse.options.parse({ url: 'https://ci.test' });

  it('looks for a commit and a tag among the inputs of a build', async () => {
    const build = { name: '7', status: 'succeeded', team_name: 'main', pipeline_name: 'shop', job_name: 'test' };
    const inputs = [
      { version: { digest: 'sha256:1' } },
      { version: { ref: 'a'.repeat(40) } },
      { version: { tag: 'v2' } },
    ];
    const upstream = {
      json: async ({ pathname }: URL, schema: { parse(value: unknown): unknown }) =>
        schema.parse(pathname === '/api/v1/builds/9/resources' ? { inputs } : [{ ...build, id: 9 }]),
    } as unknown as Upstream;
    for (const [wanted, found] of [
      [{ commit: 'aaaaaaa' }, true],
      [{ commit: 'bbbbbbb' }, false],
      [{ tag: 'v2' }, true],
      [{ tag: 'v1' }, false],
    ] as const) {
      const query = { application: 'main/shop/test', ...wanted };
      for await (const execution of concourse.executions(query, { options, upstream })) {
        assert.equal(matches(query, execution), found);
      }
    }
  });

  it('says which form of an application it wants', async () => {
    const executions = concourse.executions({ application: 'shop' }, { options, upstream: {} as Upstream });
    await assert.rejects(Array.fromAsync(executions), BadRequest);
  });
});
