import assert from 'node:assert/strict';
import { subject } from '../../fixtures/gocd/case.ts';
import { type Execution, matches } from '../../lib/builds/index.ts';
import type { ProviderQuery, Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import gocd, { outcomes } from '../../plugins/gocd.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  preparing_to_schedule: 'queued',
  Scheduled: 'queued',
  Assigned: 'queued',
  Rescheduled: 'queued',
  Waiting: 'waiting',
  Paused: 'waiting',
  Preparing: 'running',
  Building: 'running',
  Failing: 'running',
  Completing: 'running',
  Passed: 'passed',
  Failed: 'failed',
  Cancelled: 'cancelled',
  Discontinued: 'cancelled',
});

describe('gocd: the state of a pipeline', () => {
  const stage = (name: string, result: string, ...states: string[]) => ({
    name,
    counter: '1',
    scheduled: true,
    result,
    jobs: states.map((state, index) => ({ name: `job${index}`, state, result })),
  });
  const git = (url: string, branch: string, ...revisions: string[]) => ({
    material: { description: `URL: ${url}, Branch: ${branch}` },
    modifications: revisions.map((revision) => ({ revision })),
  });
  const materials = [
    { material: { description: 'upstream [ stage ]' }, modifications: [{ revision: 'upstream/1/stage/1' }] },
    git('https://example.org/a', 'main', 'a'.repeat(40), 'c'.repeat(40)),
    git('https://example.org/b', 'next', 'b'.repeat(40)),
  ];

  async function read(stages: object[], query: Partial<ProviderQuery> = {}, more: object = {}): Promise<Execution[]> {
    const instance = {
      name: 'shop',
      counter: 3,
      label: '1.3',
      stages,
      build_cause: { material_revisions: materials },
    };
    let pages = 0;
    const upstream = {
      json: async (_: URL, schema: { parse(value: unknown): unknown }) => {
        pages += 1;
        return schema.parse({ pipelines: [instance], ...(pages === 1 && more) });
      },
    } as unknown as Upstream;
    const options = gocd.options.parse({ url: 'https://ci.test' });
    return Array.fromAsync(gocd.executions({ application: 'shop', ...query }, { options, upstream }));
  }

  for (const [title, stages, status] of [
    ['nothing is scheduled', [], 'preparing_to_schedule'],
    ['an agent prepares a job', [stage('build', 'Unknown', 'Preparing')], 'Preparing'],
    ['all jobs wait', [stage('build', 'Unknown', 'Scheduled', 'Assigned')], 'Scheduled'],
    ['one job runs', [stage('build', 'Unknown', 'Completed', 'Building')], 'Building'],
    ['one job is done, the other waits', [stage('build', 'Passed', 'Completed', 'Scheduled')], 'Building'],
    [
      'the second stage waits',
      [stage('build', 'Passed', 'Completed'), stage('test', 'Unknown', 'Assigned')],
      'Building',
    ],
    ['a later stage failed', [stage('build', 'Passed', 'Completed'), stage('test', 'Failed', 'Completed')], 'Failed'],
    ['a gate is closed', [stage('build', 'Passed', 'Completed'), { ...stage('live', ''), scheduled: false }], 'Passed'],
  ] as const) {
    it(`is ${status} where ${title}`, async () => {
      const [execution] = await read([...stages]);
      assert.equal(execution?.status, status);
    });
  }

  it('finds the commit of every git material, and none that is not its newest', async () => {
    for (const [commit, branch, found] of [
      ['aaaaaaa', 'main', true],
      ['bbbbbbb', 'next', true],
      ['ccccccc', 'main', false],
    ] as const) {
      const [execution] = await read([stage('build', 'Passed', 'Completed')], { commit });
      assert.ok(execution);
      assert.equal(execution.branch, branch);
      assert.equal(matches({ commit }, execution), found);
    }
  });

  it('follows the history, and no instance matches a stage or job that it has not', async () => {
    const next = { _links: { next: { href: 'https://inner.test/go/api/pipelines/shop/history?after=2' } } };
    for (const query of [{ stage: 'deploy' }, { job: 'deploy' }]) {
      const executions = await read([stage('build', 'Passed', 'Completed')], query, next);
      assert.deepEqual(
        executions.map((execution) => matches(query, execution)),
        [false, false],
      );
    }
  });
});
