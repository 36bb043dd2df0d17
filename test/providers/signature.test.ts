import assert from 'node:assert/strict';
import { isSignedBy, Secret, sameText } from '../../lib/providers/index.ts';

describe('sameText', () => {
  const rows: readonly [string | undefined, string, boolean][] = [
    ['a', 'a', true],
    ['', '', true],
    ['a', 'b', false],
    ['a', 'aa', false],
    [undefined, '', false],
    [undefined, 'undefined', false],
  ];
  for (const [a, b, same] of rows) it(`${a} and ${b}: ${same}`, () => assert.equal(sameText(a, b), same));
});

describe('isSignedBy', () => {
  // The example of https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
  const key = new Secret("It's a Secret to Everybody");
  const body = Buffer.from('Hello, World!');
  const hex = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';

  for (const signature of [hex, `sha256=${hex}`, hex.toUpperCase()]) {
    it(`takes ${signature}`, () => assert.equal(isSignedBy(key, body, signature), true));
  }
  for (const signature of [undefined, '', 'sha256=', hex.slice(1), `${hex}0`, hex.replace('7', '8')]) {
    it(`does not take ${signature}`, () => assert.equal(isSignedBy(key, body, signature), false));
  }
  it('does not take the signature of another body or secret', () => {
    assert.equal(isSignedBy(key, Buffer.from('Hello, World'), hex), false);
    assert.equal(isSignedBy(new Secret('other'), body, hex), false);
  });
});
