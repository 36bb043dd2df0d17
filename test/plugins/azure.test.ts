import assert from 'node:assert/strict';
import { subject } from '../../fixtures/azure/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import azure, { outcomes } from '../../plugins/azure.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  notStarted: 'queued',
  postponed: 'queued',
  pending: 'queued',
  inProgress: 'running',
  cancelling: 'running',
  succeeded: 'passed',
  partiallySucceeded: 'warned',
  succeededWithIssues: 'warned',
  failed: 'failed',
  abandoned: 'failed',
  canceled: 'cancelled',
  skipped: 'skipped',
  none: 'unknown',
});

describe('provider azure, beside the contract', () => {
  /** The paths that a query asks for, with `answer` for each. */
  async function ask(query: object, answer: (path: string) => object) {
    const asked: string[] = [];
    const upstream = {
      json: async (url: URL, schema: { parse(value: unknown): unknown }) => {
        asked.push(decodeURIComponent(url.pathname + url.search));
        return schema.parse(answer(url.pathname));
      },
    };
    const context = { options: azure.options.parse(subject.options), upstream } as never;
    const executions = [];
    for await (const execution of azure.executions({ application: 'shop/7', ...query }, context)) {
      executions.push(execution);
    }
    return { asked, executions };
  }

  it('looks for a ref of unknown kind among branches, then among tags', async () => {
    const { asked } = await ask({ release: 'v1' }, () => ({ value: [] }));
    assert.deepEqual(
      asked.map((path) => /branchName=([^&]*)/.exec(path)?.[1]),
      ['refs/heads/v1', 'refs/tags/v1'],
    );
  });

  it('knows the stage of a job by way of its phase', async () => {
    const { executions } = await ask({ stage: 'Deploy', job: 'web' }, (path) =>
      path.endsWith('/timeline')
        ? {
            records: [
              { id: 's', type: 'Stage', name: 'Deploy', state: 'inProgress' },
              { id: 'p', parentId: 's', type: 'Phase', name: 'web', state: 'inProgress' },
              { id: 'j', parentId: 'p', type: 'Job', name: 'web', state: 'completed', result: 'succeededWithIssues' },
            ],
          }
        : {
            value: [
              { id: 1, buildNumber: '1', status: 'inProgress', startTime: '2026-01-01', definition: { id: 7 } },
              { id: 2, buildNumber: '2', status: 'notStarted', definition: { id: 7 } },
            ],
          },
    );
    assert.deepEqual(
      executions.map(({ stage, job, outcome }) => ({ stage, job, outcome })),
      [{ stage: 'Deploy', job: 'web', outcome: 'warned' }],
    );
  });

  it('finds nothing where no pipeline has exactly that name', async () => {
    const { asked } = await ask({ application: 'shop/web*' }, () => ({ value: [{ id: 1, name: 'website' }] }));
    assert.equal(asked.length, 1);
  });
});
