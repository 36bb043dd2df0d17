import assert from 'node:assert/strict';
import { subject } from '../../fixtures/argocd/case.ts';
import { readFixture } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import argocd, { outcomes } from '../../plugins/argocd.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  Requested: 'queued',
  'Never synced': 'queued',
  Running: 'running',
  Terminating: 'running',
  Succeeded: 'passed',
  Failed: 'failed',
  Error: 'failed',
  ComparisonError: 'failed',
  InvalidSpecError: 'failed',
  SyncError: 'failed',
  Progressing: 'running',
  Suspended: 'waiting',
  Degraded: 'failed',
  Missing: 'failed',
  Synced: 'passed',
  OutOfSync: 'warned',
});

describe('argocd: the word that decides', () => {
  const cases: readonly [string, (application: ReturnType<typeof recorded>) => void, object][] = [
    [
      'a failed operation of an older revision does not',
      ({ status }) => {
        status.operationState.phase = 'Failed';
        status.sync.revision = 'f'.repeat(40);
        status.sync.status = 'OutOfSync';
      },
      { outcome: 'warned', status: 'OutOfSync', commit: 'f'.repeat(40), build: undefined },
    ],
    [
      'health goes before the comparison',
      ({ status }) => {
        status.health.status = 'Progressing';
        status.sync.status = 'OutOfSync';
      },
      { outcome: 'running', status: 'Progressing', build: '1' },
    ],
    [
      'several sources: the one that was asked for',
      (application) => {
        const { status, spec } = application;
        Object.assign(spec, { source: undefined, sources: [{ targetRevision: 'main' }, { targetRevision: 'v2' }] });
        Object.assign(status.sync, { revision: '', revisions: ['a'.repeat(40), 'b'.repeat(40)] });
      },
      { outcome: 'passed', release: 'v2', commit: 'b'.repeat(40), build: undefined },
    ],
  ];
  for (const [title, edit, expected] of cases) {
    it(title, async () => {
      const application = recorded();
      edit(application);
      const json = async (_url: URL, schema: { parse(value: unknown): unknown }) => schema.parse(application);
      const context = { options: argocd.options.parse({ url: 'https://ci.test' }), upstream: { json } as never };
      const query = { application: 'test-app', tag: 'v2', commit: 'bbbbbbb' };
      for await (const execution of argocd.executions(query, context)) {
        assert.deepEqual({ ...execution, ...expected }, execution);
        break;
      }
    });
  }
});

function recorded() {
  return JSON.parse(readFixture('argocd', 'application-synced-healthy-test-app.json')) as {
    spec: object;
    status: {
      sync: { status: string; revision: string };
      health: { status: string };
      operationState: { phase: string };
    };
  };
}
