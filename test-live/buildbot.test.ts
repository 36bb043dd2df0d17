import assert from 'node:assert/strict';
import { ConfigOptions, parseOptions } from '../lib/config/index.ts';
import { type BadgeHost, createBadgeHost } from '../lib/host.ts';
import { createLog } from '../lib/observe/index.ts';
import { type Buildbot, type LiveBuild, missingBuildbot, startBuildbot } from './buildbot.ts';

const missing = missingBuildbot();
const COMMIT = '4b48e851aab35f1ca9bb2d52ce59e4b4f0a41a3c';
/** Nothing is remembered: every badge is what Buildbot says at that moment. */
const NOTHING_KEPT = {
  movingSeconds: 0,
  settledSeconds: 0,
  noMatchSeconds: 0,
  movingStaleSeconds: 0,
  settledStaleSeconds: 0,
  patienceSeconds: 10,
};

(missing === undefined ? describe : describe.skip)(`a real Buildbot${missing ? ` (${missing})` : ''}`, () => {
  let buildbot: Buildbot;
  let host: BadgeHost;
  let address: string;

  before(async () => {
    buildbot = await startBuildbot();
    const config = parseOptions(ConfigOptions, {
      server: { port: 0 },
      database: 'sqlite::memory:',
      access: { anonymous: true },
      freshness: NOTHING_KEPT,
      sources: [{ name: 'ci', provider: 'buildbot', url: buildbot.origin }],
    });
    const providers = { buildbot: () => import('../plugins/buildbot.ts') };
    host = await createBadgeHost({ loaded: { config }, providers, log: createLog('silent') });
    address = await host.listen();
  });
  after(async () => {
    await host?.close();
    await buildbot?.close();
  });

  const ask = (kind: 'image' | 'link', filters: Readonly<Record<string, string>>) => {
    const query = new URLSearchParams({ $ApplicationName: 'shop', ...filters, source: 'ci', format: 'json' });
    return fetch(`${address}/api/ci-badges/${kind}?${query}`, { redirect: 'manual' });
  };
  /** What the badge shows, and why when that is no state of a build. */
  const badge = async (filters: Readonly<Record<string, string>> = {}) => {
    const { headers } = await ask('image', filters);
    return [headers.get('badge-state'), headers.get('badge-reason')].filter((word) => word !== null).join(': ');
  };
  const link = async (filters: Readonly<Record<string, string>> = {}) => {
    return (await ask('link', filters)).headers.get('location') ?? '';
  };
  /** The link names a builder and a number; Buildbot's API says which build that is. */
  const assertLinksTo = async (build: LiveBuild, filters: Readonly<Record<string, string>> = {}) => {
    const [, page, builder, number] = /^(.*\/)#\/?builders\/(\d+)\/builds\/(\d+)$/.exec(await link(filters)) ?? [];
    assert.equal(page, `${buildbot.origin}/`, await link(filters));
    const { body } = await buildbot.get(`/builders/${builder}/builds/${number}`);
    assert.equal((body.builds as LiveBuild[])[0]?.buildid, build.buildid);
  };

  it('has no build yet: unknown', async () => {
    assert.equal(await badge(), 'unknown: no-match');
  });

  it('no worker attached: pending; then running, then success', async () => {
    const request = await buildbot.force('shop', { verdict: 'held' });
    await buildbot.waiting(request);
    assert.equal(await badge(), 'pending');
    assert.match(await link(), new RegExp(`^${buildbot.origin}/#/?buildrequests/${request}$`));
    await buildbot.attachWorker();
    const build = await buildbot.begun(request);
    assert.equal(await badge(), 'running');
    await assertLinksTo(build);
    buildbot.letGo();
    await buildbot.ended(request);
    assert.equal(await badge(), 'success');
    await assertLinksTo(build);
  });

  for (const [verdict, state] of [
    ['warning', 'warning'],
    ['failure', 'error'],
    ['success', 'success'],
  ] as const) {
    it(`${verdict}: ${state}`, async () => {
      const build = await buildbot.ended(await buildbot.force('shop', { verdict, revision: COMMIT }));
      assert.equal(await badge(), state);
      await assertLinksTo(build);
    });
  }

  it('skipped: the build before it speaks', async () => {
    const failed = await buildbot.ended(await buildbot.force('shop', { verdict: 'failure' }));
    const skipped = await buildbot.ended(await buildbot.force('shop', { verdict: 'skipped' }));
    assert.equal(skipped.results, 3);
    assert.equal(await badge(), 'error');
    await assertLinksTo(failed);
  });

  it('stopped while it runs: cancelled, which is a warning', async () => {
    await buildbot.detachWorker();
    await buildbot.attachWorker();
    const request = await buildbot.force('shop', { verdict: 'held' });
    const { buildid } = await buildbot.begun(request);
    assert.equal(await badge(), 'running');
    await buildbot.stopBuild(buildid);
    const build = await buildbot.ended(request);
    assert.equal(build.results, 6);
    assert.equal(await badge(), 'warning');
    await assertLinksTo(build);
  });

  it('loses its worker while it runs: pending again, until it ends', async () => {
    const request = await buildbot.force('shop', { verdict: 'held' });
    await buildbot.begun(request);
    await buildbot.detachWorker();
    await buildbot.waiting(request);
    assert.equal((await buildbot.ended(request)).results, 5);
    assert.equal(await badge(), 'pending');
    buildbot.letGo();
    await buildbot.attachWorker();
    buildbot.letGo();
    await buildbot.again(request);
    assert.equal(await badge(), 'success');
  });

  it('shows the newest build of the branch, commit or number that is asked for', async () => {
    const force = { verdict: 'warning', branch: 'feature/x', revision: COMMIT.replace('4', '5') } as const;
    const branch = await buildbot.ended(await buildbot.force('shop', force));
    const newest = await buildbot.ended(await buildbot.force('shop', { verdict: 'failure' }));
    assert.equal(await badge(), 'error');
    for (const filters of [
      { $Branch: 'feature/x' },
      { $ReleaseNumber: 'feature/x' },
      { $GitCommit: force.revision.slice(0, 10) },
      { $BuildNumber: String(branch.number) },
    ] as Record<string, string>[]) {
      assert.equal(await badge(filters), 'warning', JSON.stringify(filters));
      await assertLinksTo(branch, filters);
    }
    await assertLinksTo(newest, { $Branch: 'main' });
  });

  it('does not believe an answer to a filter that Buildbot ignores', async () => {
    const { status, body } = await buildbot.get('/builds?branch__eq=nowhere');
    assert.equal(status, 200);
    assert.notEqual(body.builds?.length, 0, 'Buildbot answers with everything');
    assert.equal(await badge({ $Branch: 'nowhere' }), 'unknown: no-match');
    assert.equal(await badge({ $BuildNumber: '4711' }), 'unknown: no-match');
    assert.equal(await link({ $Branch: 'nowhere' }), '');
  });

  it('tells builders apart, and knows no builder that is not there', async () => {
    const build = await buildbot.ended(await buildbot.force('docs', { verdict: 'success' }));
    assert.equal(await badge({ $ApplicationName: 'docs' }), 'success');
    await assertLinksTo(build, { $ApplicationName: 'docs' });
    assert.equal(await badge(), 'error');
    assert.equal(await badge({ $ApplicationName: 'nosuch' }), 'unknown: no-match');
  });

  it('exception: error', async () => {
    const build = await buildbot.ended(await buildbot.force('shop', { verdict: 'exception', branch: 'broken' }));
    assert.equal(build.results, 4);
    assert.equal(await badge(), 'error');
    await assertLinksTo(build);
  });

  it('is gone: the badge says that nobody could be asked, or what was last known', async () => {
    await buildbot.close();
    assert.match(await badge({ $BuildNumber: '4' }), /upstream-unreachable/);
  });
});
