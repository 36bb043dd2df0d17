import assert from 'node:assert/strict';
import { subject } from '../../fixtures/github-status/case.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import githubStatus, { outcomes } from '../../plugins/github-status.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  queued: 'queued',
  requested: 'queued',
  pending: 'queued',
  waiting: 'waiting',
  action_required: 'waiting',
  in_progress: 'running',
  completed: 'running',
  success: 'passed',
  neutral: 'passed',
  failure: 'failed',
  error: 'failed',
  timed_out: 'failed',
  startup_failure: 'failed',
  stale: 'failed',
  cancelled: 'cancelled',
  skipped: 'skipped',
});

describe('provider github-status, beside the contract', () => {
  it('lets the worst report speak for a commit, and waits for those that have not come', async () => {
    const statusOf = async (...states: string[]) => {
      const statuses = states.map((state, id) => ({ id, context: `ci/${id}`, state }));
      const combined = { sha: 'fd09d934', statuses, repository: { html_url: 'https://github.test/acme/web' } };
      const answer = (url: URL) => (url.pathname.endsWith('/status') ? combined : { check_suites: [] });
      const upstream = {
        json: async (url: URL, schema: { parse(value: unknown): unknown }) => schema.parse(answer(url)),
      };
      const context = { options: githubStatus.options.parse(subject.options), upstream } as never;
      for await (const { status } of githubStatus.executions({ application: 'acme/web' }, context)) return status;
      return undefined;
    };
    assert.equal(await statusOf('success', 'error', 'pending'), 'error');
    assert.equal(await statusOf('success', 'pending'), 'pending');
    assert.equal(await statusOf('success', 'a new word'), 'a new word');
    assert.equal(await statusOf(), undefined);
  });
});
