import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseInSlices } from '../../lib/providers/json.ts';

describe('JSON in slices', () => {
  /** What JSON.parse makes of a text; a SyntaxError is a value here too. */
  const whole = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch (error) {
      return error;
    }
  };

  async function assertSame(text: string, slice: number): Promise<void> {
    const expected = whole(text);
    if (expected instanceof Error) {
      await assert.rejects(parseInSlices(text, slice), SyntaxError, text);
      return;
    }
    const value = await parseInSlices(text, slice);
    assert.deepStrictEqual(value, expected, text);
    assert.equal(JSON.stringify(value), JSON.stringify(expected), 'in the same order');
  }

  const texts: readonly string[] = [
    ...['', ' ', '0', '-0', '1e400', '-1e400', '1E5', '01', '.5', '5.', '+1', 'NaN', 'null', 'nul', 'truefalse', '"a"'],
    ...[
      '[]',
      '{}',
      '[',
      '{',
      ']',
      '}',
      '[]]',
      '{}}',
      '[}',
      '{]',
      '[[}]',
      '{"a":[}',
      '[1]2',
      '[1] [2]',
      '1,2',
      ',',
      '[]x',
    ],
    ...[
      '[1,]',
      '[,1]',
      '[1,,2]',
      '[1 2]',
      '[[] []]',
      '[[],]',
      '[1[]]',
      '[[]1]',
      '[[1]e5]',
      '{"a":[1]e5}',
      '{"a":{}.5}',
      '["a""b"]',
      '["a"[]]',
      '[-0,1e400]',
    ],
    ...[
      '{"a":1,}',
      '{,"a":1}',
      '{"a":1,,"b":2}',
      '{"a" 1}',
      '{"a":[]"b":1}',
      '{"a":{}:1}',
      '{[]:1}',
      '{"a":1:2}',
      '{:1}',
    ],
    ...['{"a"}', '{"a":}', '{a:1}', '{"a":[1],{}}', '["a":1]', '["a":[]]', '{"a":[1]"b":[2]}', '{"a":1[2]}', '[1{}]'],
    ...[
      '{"a":1,"b":[1,2,3],"a":[4,{"c":5}]}',
      '{"a":[1,2,3],"a":1}',
      '{"a":{"x":[1]},"a":{"y":[2]}}',
      '{"b":[1],"2":[2],"1":0}',
    ],
    ...['{"":[1,2],"":{"":3}}', '{"__proto__":{"polluted":[1]}}', '{"a":{"__proto__":[1,2]},"__proto__":1}'],
    ...[
      '{"constructor":{"prototype":{"polluted":[1]}}}',
      '{"\\u005f_proto__":{"x":[1]}}',
      '[{"a":"\\\\"},"\\"]","\\\\\\"[",{}]',
    ],
    ...[
      '"\\ud83d"',
      '["\\ud83d","\\ude00","\\ud83d\\ude00","😀"]',
      '["\n"]',
      '["\\x"]',
      '["a',
      '["a\\',
      '["a\\"',
      '[{"a":"b}]',
    ],
    ...[
      ' [ 1 , { "a" : [ ] , "b" : { } } , [ ] ] ',
      '\ufeff[]',
      '[1]\0',
      '[\u00a01]',
      '\t\r\n[\t\r\n1\t\r\n]\t\r\n',
      '/**/[]',
    ],
    ...[
      '[[[[[[1]]]]],[[[]]]]',
      '{"a":{"b":{"c":{"d":{"e":[{}]}}}}}',
      '[[1,[2,[3,[4]]]],5]',
      '[0,[],{},"",null,true,false]',
    ],
  ];
  for (const text of texts) {
    it(`is what JSON.parse gives: ${JSON.stringify(text)}`, async () => {
      for (let slice = 1; slice <= Math.max(text.length, 1) + 64; slice += 1) await assertSame(text, slice);
    });
  }

  it('is what JSON.parse gives, wherever it is cut', () =>
    fc.assert(
      fc.asyncProperty(
        fc.jsonValue({ maxDepth: 6 }),
        fc.constantFrom(undefined, 1, '\t'),
        fc.integer({ min: 1, max: 200 }),
        (value, space, slice) => assertSame(JSON.stringify(value, undefined, space), slice),
      ),
      { numRuns: 400 },
    ));

  it('refuses what JSON.parse refuses: a text with a piece cut out, put in or moved', () => {
    const pieces = [
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"',
      '"a"',
      '\\',
      '1',
      '-',
      ' ',
      'null',
      '"__proto__":',
      '{"a":[1,2]}',
    ];
    return fc.assert(
      fc.asyncProperty(
        fc.jsonValue({ maxDepth: 4 }),
        fc.nat(),
        fc.nat(),
        fc.constantFrom('', ...pieces),
        fc.integer({ min: 1, max: 40 }),
        (value, at, drop, piece, slice) => {
          const text = JSON.stringify(value);
          const start = at % (text.length + 1);
          return assertSame(text.slice(0, start) + piece + text.slice(start + (drop % 3)), slice);
        },
      ),
      { numRuns: 1_500 },
    );
  });

  it('takes any row of brackets and commas as JSON.parse does', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('[', ']', '{', '}', ',', '1', '"a":', ' '), { maxLength: 14 }),
        fc.integer({ min: 1, max: 12 }),
        (parts, slice) => assertSame(parts.join(''), slice),
      ),
      { numRuns: 3_000 },
    ));

  it('pollutes no prototype', async () => {
    const text = '{"__proto__":{"polluted":[1,2,3]},"a":{"__proto__":{"polluted":[1]}}}';
    const value = (await parseInSlices(text, 4)) as object;
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.ok(Object.hasOwn(value, '__proto__'));
    assert.equal('polluted' in {}, false);
  });

  it('gives the loop back before every slice', async () => {
    const turns = async (slice: number) => {
      let seen = 0;
      const count = () => {
        seen += 1;
        next = setImmediate(count);
      };
      let next = setImmediate(count);
      await parseInSlices(JSON.stringify(Array.from({ length: 1_000 }, (_, number) => ({ number }))), slice);
      clearImmediate(next);
      return seen;
    };
    assert.equal(await turns(1_000_000), 1);
    assert.ok((await turns(1_000)) >= 14, `${await turns(1_000)} turns`);
  });

  it('is not brought down by depth: 9,000 are read, more than 10,000 are refused', async () => {
    const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`;
    for (const slice of [100, 50_000]) {
      let value = await parseInSlices(nested(9_000), slice);
      let depth = 0;
      for (; typeof value === 'object' && value !== null; depth += 1) value = Object.values(value)[0];
      assert.deepEqual([value, depth], [1, 9_000]);
      await assert.rejects(parseInSlices(nested(1_000_000), slice), SyntaxError);
      await assert.rejects(parseInSlices('['.repeat(9_000), slice), SyntaxError);
    }
  });
});
