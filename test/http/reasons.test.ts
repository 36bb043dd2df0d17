import assert from 'node:assert/strict';
import {
  BadRequest,
  UnsupportedFilter,
  UpstreamAbsent,
  UpstreamError,
  UpstreamLimited,
  UpstreamRefused,
} from '../../lib/providers/index.ts';
import { startHost, type TestHost } from '../host.ts';

const IMAGE = '/api/ci-badges/image?key=badges&$ApplicationName=web';

describe('what went wrong with an image', () => {
  let test: TestHost;

  beforeEach(async () => {
    test = await startHost({ freshness: { patienceSeconds: 0.1 }, sources: [{ ...CI, scanLimit: 2 }] });
  });
  afterEach(() => test.close());

  const failures: readonly [string, (ci: TestHost['fake']) => void, number][] = [
    ['no-match', (ci) => say(ci, []), 404],
    ['no-match', (ci) => say(ci, new UpstreamAbsent('none')), 404],
    ['not-among-newest', (ci) => say(ci, [{ branch: 'x' }, { branch: 'y' }, { branch: 'main' }]), 404],
    ['unsupported-filter', (ci) => say(ci, [{ branch: undefined }]), 400],
    ['unsupported-filter', (ci) => say(ci, new UnsupportedFilter('not this one')), 400],
    ['bad-request', (ci) => say(ci, new BadRequest('owner/repository was wanted')), 400],
    ['upstream-unreachable', (ci) => say(ci, new UpstreamError('down')), 502],
    ['upstream-refused', (ci) => say(ci, new UpstreamRefused('no')), 502],
    ['upstream-limited', (ci) => say(ci, new UpstreamLimited('later')), 503],
    ['internal-error', (ci) => say(ci, new TypeError('a bug')), 500],
    ['timeout', (ci) => Object.assign(ci, { delayMs: 1_000 }), 504],
  ];
  for (const [reason, fail, status] of failures) {
    it(`${reason} is told beside a picture, and is ${status} with strict=1`, async () => {
      fail(test.fake);
      const usual = await test.get(`${IMAGE}&$Branch=main`);
      assert.equal(usual.status, 200);
      assert.match(usual.headers.get('content-type') ?? '', /^image\/svg\+xml/);
      assert.match(await usual.text(), /^<svg .*unknown/);
      const strict = await test.get(`${IMAGE}&$Branch=main&strict=1`);
      assert.equal(strict.status, status);
      for (const { headers } of [usual, strict]) {
        assert.deepEqual([headers.get('badge-state'), headers.get('badge-reason')], ['unknown', reason]);
        assert.match(headers.get('cache-control') ?? '', /^public, max-age=\d+/);
      }
    });
  }

  it('is told for the operator in the log, a bug with its stack', async () => {
    say(test.fake, new TypeError('a bug'));
    await test.get(IMAGE);
    assert.match(
      test.logged(),
      /"level":50[^\n]*"stack":"TypeError: a bug\\n[^\n]*internal error while asking a source/,
    );
  });

  it('says what would be right', async () => {
    const { headers } = await test.get(`${IMAGE}&$GitCommit=main`);
    assert.equal(headers.get('badge-detail'), '$GitCommit is no commit: 7 to 64 hexadecimal digits were wanted');
  });

  it('is written in letters that a header takes', async () => {
    say(test.fake, new BadRequest(`\`ünï☃\r\nX-Evil: 1\` ${'x'.repeat(5_000)}`));
    const { headers } = await test.get(IMAGE);
    assert.match(headers.get('badge-detail') ?? '', /^`%C3%BCn%C3%AF%E2%98%83%0D%0AX-Evil: 1` x+$/);
    assert.equal(headers.get('x-evil'), null);
    say(test.fake, [{ status: 'größer\n' }]);
    const { headers: found } = await test.get(IMAGE.replace('web', 'other'));
    assert.equal(found.get('badge-status'), 'gr%C3%B6%C3%9Fer%0A');
  });

  it('may be two things', async () => {
    const { headers } = await test.get(`${IMAGE}&$Branch=none&$Branch=main`);
    assert.equal(headers.get('badge-reason'), 'no-match, duplicate-argument');
  });

  it('is nothing: then no reason is given, and strict=1 changes nothing', async () => {
    const { status, headers } = await test.get(`${IMAGE}&strict=1`);
    assert.deepEqual([status, headers.get('badge-reason'), headers.get('badge-detail')], [200, null, null]);
    assert.deepEqual([headers.get('badge-state'), headers.get('badge-status')], ['success', 'green']);
  });

  it('is told in JSON too', async () => {
    say(test.fake, new UpstreamError('down'));
    const facts = await (await test.get(`${IMAGE}&format=json`)).json();
    const { state, reason, stale, source, message, isError } = facts as Record<string, unknown>;
    assert.deepEqual(
      [state, reason, stale, source, message],
      ['unknown', 'upstream-unreachable', false, 'ci', 'unknown'],
    );
    assert.equal(isError, undefined);
  });

  it('asks a CI that limits us no sooner than it says', async () => {
    say(test.fake, new UpstreamLimited('later', new Date(Date.now() + 600_000)));
    const { headers } = await test.get(`${IMAGE}&source=ci`);
    assert.match(headers.get('cache-control') ?? '', /max-age=5\d\d,/);
    await test.get(`${IMAGE}&source=ci&style=plastic`);
    assert.equal(test.fake.asked, 1);
  });
});

const CI = { name: 'ci', provider: 'fake', url: 'https://ci.test' };

function say(fake: TestHost['fake'], executions: TestHost['fake']['executions']): void {
  fake.executions = executions;
}
