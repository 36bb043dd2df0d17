import assert from 'node:assert/strict';
import { UpstreamError } from '../../lib/providers/index.ts';
import { PAGES, startHost, type TestHost } from '../host.ts';

const LINK = '/api/ci-badges/link?key=badges&$ApplicationName=web';

describe('a link', () => {
  let test: TestHost;

  beforeEach(async () => {
    test = await startHost();
  });
  afterEach(() => test.close());

  const follow = async (query = '') => {
    const { status, headers } = await test.get(LINK + query);
    return { status, to: headers.get('location') };
  };

  it('leads to the build', async () => assert.deepEqual(await follow(), { status: 303, to: PAGES.build }));

  const spelled: readonly [string, string][] = [
    ['&page=release', PAGES.release],
    ['&page=EXECUTION', PAGES.execution],
    ['&Page=application', PAGES.application],
    ['&page=release&page=build', PAGES.release],
  ];
  for (const [query, to] of spelled) {
    it(`with ${query} leads to ${to}`, async () => assert.deepEqual(await follow(query), { status: 303, to }));
  }

  it('leads to the nearest page where the wanted one is not there', async () => {
    test.fake.executions = [{ pages: { build: PAGES.build, application: PAGES.application } }];
    assert.equal((await follow('&page=release')).to, PAGES.application);
    assert.equal((await follow('&page=execution')).to, PAGES.build);
  });

  it('is asked for by HEAD and POST too, and by nothing else', async () => {
    const head = await test.get(LINK, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('location')], [303, PAGES.build]);
    const body = new URLSearchParams({ key: 'badges', $ApplicationName: 'web', page: 'release' });
    const post = await test.get('/api/ci-badges/link', { method: 'POST', body });
    assert.deepEqual([post.status, post.headers.get('location')], [303, PAGES.release]);
    const other = await test.get(LINK, { method: 'DELETE' });
    assert.deepEqual([other.status, other.headers.get('allow')], [405, 'GET, HEAD, POST, OPTIONS']);
  });

  it('ends with its head, on a connection that stays', async () => {
    for (const path of [LINK, `${LINK}&page=release`]) {
      const answer = await test.get(path);
      assert.deepEqual([answer.headers.get('connection'), answer.headers.get('content-length')], ['keep-alive', '0']);
      assert.equal(await answer.text(), '');
    }
  });

  it('may be kept as long as its badge', async () => {
    const { headers } = await test.get(LINK);
    assert.match(headers.get('cache-control') ?? '', /^public, max-age=(59|60), /);
  });

  it('still leads to the last known build while the CI is down', async () => {
    await test.close();
    test = await startHost({ freshness: { settledSeconds: 0, settledStaleSeconds: 0, retrySeconds: 0 } });
    await follow();
    test.fake.executions = new UpstreamError('down');
    const answer = await test.get(LINK);
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, PAGES.build]);
    assert.equal(answer.headers.get('badge-reason'), 'upstream-unreachable');
  });

  const refused: readonly [string, string, RegExp][] = [
    ['another page', '&page=log', /page `log` is not known: build, release, application, execution are/],
    ['no such build', '&$BuildNumber=9', /no build matches/],
    ['a filter that is wrong', '&$GitCommit=main', /7 to 64 hexadecimal digits/],
    ['a filter that the provider has not', '&job=x', /cannot be filtered by job/],
    ['a source that is not there', '&source=nowhere', /no source `nowhere`/],
  ];
  for (const [what, query, text] of refused) {
    it(`for ${what} is a 400 that says why`, async () => {
      const answer = await test.get(LINK + query);
      assert.equal(answer.status, 400);
      assert.equal(answer.headers.get('location'), null);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
      assert.match(await answer.text(), text);
    });
  }

  it('without anything known of a CI that is down is a 400', async () => {
    test.fake.executions = new UpstreamError('down at http://inner:8080');
    const answer = await test.get(LINK);
    assert.equal(answer.status, 400);
    assert.equal(await answer.text(), 'no link: upstream-unreachable\n');
  });

  it('with letters that a header does not take is encoded', async () => {
    test.fake.executions = [{ pages: { build: 'https://ci.test/jobs/größe ☃/7?x=ü#☃' } }];
    const to = 'https://ci.test/jobs/gr%C3%B6%C3%9Fe%20%E2%98%83/7?x=%C3%BC#%E2%98%83';
    assert.deepEqual(await follow(), { status: 303, to });
  });

  for (const page of ['javascript:alert(1)', 'data:text/html,x', '/builds/7', 'https://', 'not an address']) {
    it(`never leads to ${page}`, async () => {
      test.fake.executions = [{ pages: { build: page } }];
      assert.deepEqual(await follow(), { status: 400, to: null });
    });
  }
});
