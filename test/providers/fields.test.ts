import assert from 'node:assert/strict';
import { z } from 'zod';
import { instant, instantOfMs, instantOfSeconds, label, maybe, paged } from '../../lib/providers/index.ts';

describe('fields of answers', () => {
  const rows: readonly [string, z.ZodType, unknown, unknown][] = [
    ['maybe', maybe(z.string()), 'x', 'x'],
    ['maybe', maybe(z.string()), '', ''],
    ['maybe', maybe(z.string()), null, undefined],
    ['maybe', maybe(z.string()), undefined, undefined],
    ['label', label, 7, '7'],
    ['label', label, '007', '007'],
    ['instant', instant, '2026-01-02T03:04:05Z', new Date('2026-01-02T03:04:05Z')],
    ['instant', instant, '2026-01-02T03:04:05+02:00', new Date('2026-01-02T01:04:05Z')],
    ['instant', instant, '0001-01-01T00:00:00Z', undefined],
    ['instant', instant, '', undefined],
    ['instant', instant, 'yesterday', undefined],
    ['instant', instant, null, undefined],
    ['instantOfSeconds', instantOfSeconds, 1_767_322_800, new Date(1_767_322_800_000)],
    ['instantOfSeconds', instantOfSeconds, 0, undefined],
    ['instantOfSeconds', instantOfSeconds, 1e300, undefined],
    ['instantOfSeconds', instantOfSeconds, null, undefined],
    ['instantOfMs', instantOfMs, 1_767_322_800_000, new Date(1_767_322_800_000)],
    ['instantOfMs', instantOfMs, -62_135_596_800_000, undefined],
    ['instantOfMs', instantOfMs, 0, undefined],
  ];
  for (const [name, schema, value, read] of rows) {
    it(`${name} reads ${JSON.stringify(value)} as ${JSON.stringify(read)}`, () => {
      assert.deepEqual(schema.parse(value), read);
    });
  }

  for (const value of [null, {}, true]) {
    it(`label is not ${JSON.stringify(value)}`, () => assert.equal(label.safeParse(value).success, false));
  }
});

describe('paged', () => {
  const pages = [[1, 2], [3, 4], [5]];

  async function fetchedFor(wanted: number) {
    const fetched: number[] = [];
    const items: number[] = [];
    const list = paged(2, async (page) => {
      fetched.push(page);
      return pages[page - 1] ?? [];
    });
    for await (const item of list) if (items.push(item) === wanted) break;
    return { fetched, items };
  }

  it('fetches no page before it is wanted', async () => {
    assert.deepEqual(await fetchedFor(2), { fetched: [1], items: [1, 2] });
    assert.deepEqual(await fetchedFor(3), { fetched: [1, 2], items: [1, 2, 3] });
  });

  it('ends with a short page', async () => {
    assert.deepEqual(await fetchedFor(99), { fetched: [1, 2, 3], items: [1, 2, 3, 4, 5] });
  });
});
