import assert from 'node:assert/strict';
import { subject } from '../../fixtures/teamcity/case.ts';
import { matches } from '../../lib/builds/index.ts';
import type { Upstream } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider } from '../../lib/providers/testing.ts';
import teamcity, { outcomes } from '../../plugins/teamcity.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  queued: 'queued',
  running: 'running',
  SUCCESS: 'passed',
  FAILURE: 'failed',
  ERROR: 'failed',
  CANCELED: 'cancelled',
});

describe('teamcity', () => {
  /** Asks a server that has one build of a tag, with a parameter; tells what it was asked for. */
  async function ask(query: object, token?: string) {
    const asked: URL[] = [];
    const answer = {
      build: [
        {
          id: 7,
          state: 'finished',
          status: 'SUCCESS',
          branchName: 'v1.2',
          revisions: { revision: [{ version: 'a'.repeat(40) }, { version: 'b'.repeat(40) }] },
          resultingProperties: { property: [{ name: 'env.Stage', value: 'live (eu)' }, { name: 'secret' }] },
        },
      ],
    };
    const upstream = {
      json: async (url: URL, schema: { parse(value: unknown): unknown }) => {
        asked.push(url);
        return schema.parse(answer);
      },
    } as unknown as Upstream;
    const options = teamcity.options.parse({ url: 'https://ci.test', token });
    const wanted = { application: 'Shop_Build', ...query };
    const [execution] = await Array.fromAsync(teamcity.executions(wanted, { options, upstream }));
    assert.ok(execution);
    return { asked, matches: matches(wanted, execution), execution };
  }

  it('filters by a parameter whose value would break the locator', async () => {
    const { asked, matches } = await ask({ variables: { 'ENV.stage': 'live (eu)' } });
    const { searchParams } = asked[0] ?? new URL('https://none.test');
    const coded = `($base64:${Buffer.from('live (eu)').toString('base64url')})`;
    assert.ok(
      searchParams.get('locator')?.endsWith(`,property:(name:(value:ENV.stage,ignoreCase:true),value:${coded})`),
    );
    assert.ok(searchParams.get('fields')?.endsWith(',resultingProperties(property(name,value)))'));
    assert.equal(matches, true);
  });

  it('finds a commit in a second repository', async () => {
    const { execution, matches } = await ask({ commit: 'b'.repeat(8) });
    assert.equal(execution.commit, 'b'.repeat(40));
    assert.equal(matches, true);
  });

  it('asks the guest user where it has no token', async () => {
    assert.equal((await ask({})).asked[0]?.pathname, '/guestAuth/app/rest/builds');
    assert.equal((await ask({}, 't')).asked[0]?.pathname, '/app/rest/builds');
  });
});
