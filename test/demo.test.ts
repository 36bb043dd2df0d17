import assert from 'node:assert/strict';
import nock from 'nock';
import { STATES } from '../lib/builds/index.ts';
import { DEMO_KEY, type Demo, demoAddress, startDemo } from '../lib/demo.ts';
import { type BadgeHost, createBadgeHost } from '../lib/host.ts';
import { createLog } from '../lib/observe/index.ts';
import type { Registry } from '../lib/providers/index.ts';
import { providers } from '../plugins/index.ts';

/** The four of the first release: the demo has to show each state that they have. */
const { buildmaster, github, gitlab, jenkins } = providers;
const FOUR = { buildmaster, github, gitlab, jenkins } as Registry;

describe('the demo', () => {
  let demo: Demo;
  let host: BadgeHost;
  let address: string;

  before(async () => {
    nock.enableNetConnect();
    demo = await startDemo(FOUR, 0);
    host = await createBadgeHost({ loaded: { config: demo.config }, providers, log: createLog('silent') });
    address = await host.listen();
    demo.show(address);
  });
  after(async () => {
    await host.close();
    await demo.close();
  });

  describe('serves the examples of the contract as they are written', () => {
    const documented = 'https://buildmaster.inedo.com';
    const html = `<a href="${documented}/api/ci-badges/link?API_Key=badges&amp;$ApplicationId=2" rel="nofollow"><img src="${documented}/api/ci-badges/image?API_Key=badges&amp;$ApplicationId=2" alt="Build status"></a>`;
    const byName = `<a href="${documented}/api/ci-badges/link?key=badges&$ApplicationName=Windows" rel="nofollow">
  <img alt="Build status" src="${documented}/api/ci-badges/image?key=badges&$ApplicationName=Windows" />
</a>`;
    const markdown = `[![Build status](${documented}/api/ci-badges/image?key=badges&$ApplicationName=InedoCore)](${documented}/api/ci-badges/link?key=badges&$ApplicationName=InedoCore)`;
    const gitlabForm = `${documented}/api/ci-badges/image?Key=badges&$ApplicationName=%{project_path} ${documented}/api/ci-badges/link?key=badges&$ApplicationName=%{project_path}`;
    const examples: readonly [string, string][] = [
      ['HTML by id', html],
      ['HTML by name', byName],
      ['Markdown', markdown],
      ['the form of a GitLab project', gitlabForm.replaceAll('%{project_path}', 'InedoCore')],
    ];
    for (const [what, text] of examples) {
      it(what, async () => {
        const addresses = text.replaceAll('&amp;', '&').match(/https:[^\s")]+/g) ?? [];
        assert.equal(addresses.length, 2);
        for (const found of addresses) {
          const answer = await fetch(found.replace(documented, address), { redirect: 'manual' });
          if (found.includes('/image?')) {
            assert.deepEqual([answer.status, answer.headers.get('badge-state')], [200, 'success']);
            assert.match(answer.headers.get('content-type') ?? '', /^image\/svg\+xml/);
          } else {
            assert.equal(answer.status, 303);
            assert.match(answer.headers.get('location') ?? '', /\/applications\/2\/builds\/build\?buildId=6$/);
          }
        }
      });
    }
  });

  it('shows each state that a provider has, from a recorded answer, and its link leads to the build', async () => {
    const states = new Map<string, Set<string | null>>();
    for (const badge of demo.badges) {
      const image = await fetch(demoAddress(address, badge, 'image'));
      const state = image.headers.get('badge-state');
      states.set(badge.provider, (states.get(badge.provider) ?? new Set()).add(state));
      const link = await fetch(demoAddress(address, badge, 'link'), { redirect: 'manual' });
      const isFound = image.headers.get('badge-status') !== null;
      assert.equal(link.status, isFound ? 303 : 400, badge.source);
      await Promise.all([image.arrayBuffer(), link.arrayBuffer()]);
    }
    const all = new Set([...states.values()].flatMap((some) => [...some]));
    assert.deepEqual([...all].sort(), [...STATES].sort());
    for (const [provider, some] of states) {
      for (const state of ['success', 'error', 'running', 'pending'])
        assert.ok(some.has(state), `${provider}: ${state}`);
    }
  });

  it('has a page with all badges, each linked to its build', async () => {
    const page = await (await fetch(demo.page)).text();
    assert.equal(page.match(/<img /g)?.length, demo.badges.length);
    assert.ok(page.includes(`${address}/api/ci-badges/link?key=${DEMO_KEY}&#38;source=`));
  });
});
