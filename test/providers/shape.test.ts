import assert from 'node:assert/strict';
import { z } from 'zod';
import { maybe } from '../../lib/providers/index.ts';
import { readInSlices } from '../../lib/providers/shape.ts';

describe('a shape read in slices', () => {
  const Run = z.object({ number: z.number(), name: maybe(z.string()), tags: z.array(z.string()).optional() });
  const Page = z.object({ runs: z.array(Run), more: maybe(z.array(z.number())), next: z.string().optional() });
  const runs = Array.from({ length: 1_234 }, (_, number) => ({ number, name: null, other: 1, tags: ['a'] }));

  const cases: readonly [string, z.ZodType, unknown][] = [
    ['a list', z.array(Run), runs],
    ['an empty list', z.array(Run), []],
    ['a list in an object', Page, { runs, more: [1, 2] }],
    ['a list that may be missing', Page, { runs: [], next: 'x' }],
    ['a list that may be null', Page, { runs: [], more: null }],
    ['a list in a list', z.array(z.array(z.number())), [[1], Array(500).fill(2)]],
    ['a list with a rule', z.array(Run).max(2_000), runs],
    ['a list of a choice', z.array(Run).or(z.literal('')), runs],
    [
      'a list that a transform makes',
      z
        .unknown()
        .transform((): unknown => runs)
        .pipe(z.array(Run)),
      1,
    ],
    ['an object that is transformed', Page.transform((page) => page.runs.length), { runs }],
    ['a strict object', z.strictObject({ runs: z.array(Run) }), { runs, more: 1 }],
    ['a refined object', Page.refine((page) => page.next), { runs }],
    ['a bad item', Page, { runs: runs.with(999, { ...runs[0], number: 'x' } as never) }],
    ['a bad list', Page, { runs: { length: 1 } }],
    ['a missing list', Page, {}],
    ['a bad list with a rule', z.array(Run).max(10), runs],
    ['no object', Page, null],
    ['no list', z.array(Run), 'x'],
  ];
  for (const [name, schema, value] of cases) {
    it(`is what the schema reads: ${name}`, async () => {
      const { success, data, error } = await readInSlices(schema, value);
      const expected = schema.safeParse(value);
      assert.equal(success, expected.success);
      assert.deepStrictEqual(data, expected.data);
      assert.deepEqual(error?.issues, expected.error?.issues);
    });
  }

  it('tells of the first bad items of a list, and reads no further', async () => {
    let read = 0;
    const Bad = z.number().refine(() => {
      read += 1;
      return false;
    });
    const { error } = await readInSlices(z.array(Bad), Array(20_000).fill(1));
    assert.deepEqual(error?.issues[0]?.path, [0]);
    assert.ok(read <= 100, `${read} were read`);
  });
});
