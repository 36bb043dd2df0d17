import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { createLimits, type TrustProxy } from '../../lib/http/limits.ts';
import { startHost, type TestHost } from '../host.ts';

const IMAGE = '/api/ci-badges/image?key=badges&$ApplicationName=web';

describe('the limit of requests', () => {
  let time = 0;
  const limitsOf = (perMinute: number, trustProxy: TrustProxy = 'loopback') => {
    time = 1_000_000;
    return createLimits({ perMinute, trustProxy, now: () => time });
  };
  const from = (remoteAddress: string, forwarded?: string) =>
    ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

  it('lets an address ask so often in a minute, and says when it may again', () => {
    const limits = limitsOf(2);
    const take = () => limits.take(from('10.0.0.1'));
    assert.deepEqual([take(), take(), take()], [undefined, undefined, 60]);
    time += 45_500;
    assert.equal(take(), 15);
    time += 14_500;
    assert.deepEqual([take(), take(), take()], [undefined, undefined, 60]);
  });

  const pairs: readonly [string, IncomingMessage, IncomingMessage, TrustProxy, boolean][] = [
    ['two addresses', from('10.0.0.1'), from('10.0.0.2'), 'loopback', false],
    ['two clients of a trusted proxy', from('127.0.0.1', '1.1.1.1'), from('127.0.0.1', '1.1.1.2'), 'loopback', false],
    ['one client of two trusted proxies', from('127.0.0.1', '1.1.1.1'), from('::1', '1.1.1.1'), 'loopback', true],
    ['what a stranger claims to forward', from('10.0.0.1', '1.1.1.1'), from('10.0.0.1', '1.1.1.2'), 'loopback', true],
    ['two clients, where nobody is trusted', from('127.0.0.1', '1.1.1.1'), from('127.0.0.1', '1.1.1.2'), false, true],
    ['two clients, one proxy away', from('10.0.0.1', '1.1.1.1'), from('10.0.0.1', '1.1.1.2'), 1, false],
    ['two proxies of a list', from('10.0.0.1', '1.1.1.1'), from('10.0.0.2', '1.1.1.1'), '10.0.0.1, 10.0.0.2', true],
    ['two addresses of one IPv6 network', from('2001:db8:1:2::a'), from('2001:db8:1:2::b'), 'loopback', true],
    ['two IPv6 networks', from('2001:db8:1:2::a'), from('2001:db8:1:3::a'), 'loopback', false],
    ['two IPv4 addresses in IPv6', from('::ffff:10.0.0.1'), from('::ffff:10.0.0.2'), 'loopback', false],
  ];
  for (const [what, one, other, trustProxy, isSame] of pairs) {
    it(`${isSame ? 'counts as one' : 'tells apart'}: ${what}`, () => {
      const limits = limitsOf(1, trustProxy);
      assert.equal(limits.take(one), undefined);
      assert.equal(limits.take(other) !== undefined, isSame);
    });
  }

  describe('over HTTP', () => {
    let test: TestHost;
    afterEach(() => test.close());

    it('holds for warm answers as for others, for each client by itself', async () => {
      test = await startHost({ server: { port: 0, requestsPerMinute: 3 } });
      const statuses: number[] = [];
      for (const path of [IMAGE, IMAGE, '/healthz', IMAGE, '/healthz']) statuses.push((await test.get(path)).status);
      assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
      const answer = await test.get(IMAGE);
      assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.match(await answer.text(), /^Too many requests from this address: it may ask again in \d+ s\n$/);
      assert.equal((await test.get(IMAGE, { headers: { 'x-forwarded-for': '1.1.1.1' } })).status, 200);
    });

    it('is none by default', async () => {
      test = await startHost();
      for (let count = 0; count < 300; count += 1) assert.equal((await test.get(IMAGE)).status, 200);
    });
  });
});
