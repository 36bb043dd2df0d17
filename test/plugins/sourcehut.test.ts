import assert from 'node:assert/strict';
import { subject } from '../../fixtures/sourcehut/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import sourcehut, { outcomes } from '../../plugins/sourcehut.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  PENDING: 'waiting',
  QUEUED: 'queued',
  RUNNING: 'running',
  SUCCESS: 'passed',
  FAILED: 'failed',
  TIMEOUT: 'failed',
  CANCELLED: 'cancelled',
});

describe('provider sourcehut, beside the contract', () => {
  /** Executions of a query, with one answer after the other. */
  async function ask(query: object, ...answers: object[]) {
    const bodies: { variables: object }[] = [];
    const upstream = {
      json: async (_url: URL, schema: { parse(value: unknown): unknown }, init: { body: { variables: object } }) => {
        bodies.push(init.body);
        return schema.parse(answers[bodies.length - 1]);
      },
    };
    const context = { options: sourcehut.options.parse(subject.options), upstream } as never;
    const executions = [];
    for await (const execution of sourcehut.executions({ application: '~person/web', ...query }, context)) {
      executions.push(execution);
    }
    return { executions, variables: bodies.map((body) => body.variables) };
  }

  it('follows the cursor', async () => {
    const page = (cursor: string | null) => ({ data: { userByName: { jobs: { results: [], cursor } } } });
    const { variables } = await ask({}, page('abc'), page(null));
    assert.deepEqual(variables, [
      { user: 'person', cursor: undefined },
      { user: 'person', cursor: 'abc' },
    ]);
  });

  it('finds nothing for a user or a job that there is not, and asks for no number that is none', async () => {
    assert.deepEqual((await ask({}, { data: { userByName: null } })).executions, []);
    assert.deepEqual((await ask({ build: '7' }, { data: { job: null } })).executions, []);
    assert.deepEqual((await ask({ build: '99999999999' })).variables, []);
  });

  it('names the job of somebody else as theirs', async () => {
    const job = { id: 7, status: 'SUCCESS', tags: ['web'], owner: { canonicalName: '~other' } };
    const { executions } = await ask({ build: '7' }, { data: { job } });
    assert.equal(executions[0]?.application, '~other/web');
  });

  it("reads the repository from the note that a manifest's webhook sends", () => {
    const note = '[0]: https://git.sr.ht/~person/web/commit/9f2e1c4b7a6d5e3f8091a2b3c4d5e6f708192a3b';
    const payload = { id: 7, status: 'success', owner: { canonical_name: '~pusher', name: 'pusher' }, note };
    assert.deepEqual(sourcehut.webhook?.read(payload, { headers: {}, query: {}, body: Buffer.from('') }), {
      application: '~pusher/web',
    });
  });
});
