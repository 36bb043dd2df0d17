import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cleanText } from '../../lib/badges/index.ts';
import { anyText } from '../texts.ts';

describe('cleanText', () => {
  const rows: readonly [string, string, string][] = [
    ['leaves a text alone', 'build: passed ✔ ünï 日本語', 'build: passed ✔ ünï 日本語'],
    ['drops NUL and backspace', 'a\0\bb', 'a b'],
    ['makes one line of several', 'a\r\n\tb\u2028c\u2029d', 'a b c d'],
    ['drops C1 controls', 'a\u0085\u009bb', 'a b'],
    ['drops bidi overrides', 'a\u202egnissap\u202c\u2066x\u2069', 'agnissapx'],
    ['drops direction marks', '\u200ea\u200fb\u061c', 'ab'],
    ['drops what nobody sees', '\ufeffa\u200bb\u2060c', 'abc'],
    ['drops what XML has no place for', 'a\ufffe\uffffb', 'ab'],
    ['replaces lone surrogates', 'a\ud800b\udc00', 'a\ufffdb\ufffd'],
    ['keeps joined emoji', '👩‍🚀', '👩‍🚀'],
    ['trims', '  a  ', 'a'],
    ['may be empty', ' \u202e ', ''],
  ];
  for (const [what, text, clean] of rows) it(what, () => assert.equal(cleanText(text), clean));

  const lengths: readonly [string, string, number, boolean][] = [
    ['256 letters', 'x', 256, false],
    ['257 letters', 'x', 257, true],
    ['200 emoji, each of two units', '😀', 200, false],
    ['256 emoji', '😀', 256, false],
    ['257 emoji', '😀', 257, true],
  ];
  for (const [what, letter, count, isCut] of lengths) {
    it(`${isCut ? 'cuts' : 'leaves'} ${what}`, () => {
      const clean = cleanText(letter.repeat(count));
      assert.equal(clean, isCut ? `${letter.repeat(255)}…` : letter.repeat(count));
    });
  }

  it('is well-formed, short and clean whatever comes, and cleaning twice changes nothing', () => {
    fc.assert(
      fc.property(anyText(400), (text) => {
        const clean = cleanText(text);
        assert.ok(clean.isWellFormed());
        assert.ok([...clean].length <= 256);
        assert.doesNotMatch(clean, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
        assert.equal(cleanText(clean), clean);
      }),
    );
  });
});
