import assert from 'node:assert/strict';
import { format, inspect } from 'node:util';
import { z } from 'zod';
import { basic, bearer, httpUrl, Secret, secret, tokenHeader } from '../../lib/providers/index.ts';

describe('httpUrl', () => {
  const taken: readonly [string, string][] = [
    ['https://ci.test', 'https://ci.test'],
    ['https://ci.test/', 'https://ci.test'],
    ['https://ci.test/jenkins//', 'https://ci.test/jenkins'],
    ['http://127.0.0.1:8080/x', 'http://127.0.0.1:8080/x'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
  ];
  for (const [text, url] of taken) it(`reads ${text}`, () => assert.equal(httpUrl().parse(text), url));

  const refused: readonly [unknown, RegExp][] = [
    ['ci.test', /starts with http:\/\/ or https:\/\//],
    ['ftp://ci.test', /starts with http/],
    ['javascript:alert(1)', /starts with http/],
    [7, /starts with http/],
    ['https://user@ci.test', /must not hold a user name/],
    ['https://user:word@ci.test', /must not hold a user name/],
    ['https://ci.test/?token=x', /must not hold a query/],
    ['https://ci.test/#x', /must not hold a query or a fragment/],
  ];
  for (const [value, message] of refused) {
    it(`refuses ${value}`, () => {
      const { error } = httpUrl().safeParse(value);
      assert.match(error?.issues[0]?.message ?? '', message);
    });
  }
});

describe('secret', () => {
  it('is trimmed, for files end with a line break', () => assert.equal(secret().parse(' s3cret\n').reveal(), 's3cret'));

  it('may be one already', () => {
    const one = new Secret('s3cret');
    assert.equal(secret().parse(one), one);
  });

  for (const value of ['', '  \n', 7, null, {}]) {
    it(`refuses ${JSON.stringify(value)}`, () => assert.equal(secret().safeParse(value).success, false));
  }

  it('never shows itself', () => {
    const { token } = z.object({ token: secret() }).parse({ token: 's3cret' });
    const shown = [
      String(token),
      `${token}`,
      JSON.stringify({ token }),
      inspect({ deep: { token } }, { depth: 9, showHidden: true }),
      format('%s %o %j', token, token, token),
      Object.entries(token).flat().join(),
      new Error(`no ${token}`, { cause: token }).stack,
    ];
    for (const text of shown) assert.doesNotMatch(text ?? '', /s3cret/);
  });

  it('is not told by the error about another option', () => {
    const { error } = z.strictObject({ token: secret(), url: httpUrl() }).safeParse({ token: 's3cret', url: 's3cret' });
    assert.doesNotMatch(inspect(error, { depth: 9 }), /s3cret/);
  });
});

describe('credentials as headers', () => {
  const token = new Secret('s3cret');
  const decoded = (header: string | undefined) =>
    Buffer.from(header?.replace(/^Basic /, '') ?? '', 'base64').toString();

  it('bearer', () => assert.deepEqual(bearer(token), { authorization: 'Bearer s3cret' }));
  it('basic', () => assert.equal(decoded(basic('bob', token).authorization), 'bob:s3cret'));
  it('basic without a user', () => assert.equal(decoded(basic(undefined, token).authorization), ':s3cret'));
  it('basic without a password', () => assert.equal(decoded(basic('bob', undefined).authorization), 'bob:'));
  it('a token as it stands', () => assert.deepEqual(tokenHeader('x-apikey', token), { 'x-apikey': 's3cret' }));
  it('a token after a word', () => {
    assert.deepEqual(tokenHeader('authorization', token, 'token '), { authorization: 'token s3cret' });
  });
  it('nothing without a token', () => {
    assert.deepEqual([bearer(undefined), basic(undefined, undefined), tokenHeader('x', undefined)], [{}, {}, {}]);
  });
});
