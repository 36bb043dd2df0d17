import assert from 'node:assert/strict';
import { z } from 'zod';
import type { Filter } from '../../lib/builds/index.ts';
import { defineProvider } from '../../lib/providers/index.ts';

const valid = {
  id: 'acme-ci',
  title: 'Acme CI',
  docs: 'https://docs.acme-ci.example',
  words: { application: 'project', release: 'branch', build: 'number', execution: 'run' },
  options: z.strictObject({}),
  filters: ['application', 'branch'] as readonly Filter[],
  async *executions() {},
};

describe('defineProvider', () => {
  it('freezes the definition', () => {
    const provider = defineProvider(valid);
    assert.ok(Object.isFrozen(provider) && Object.isFrozen(provider.filters));
    assert.equal(provider.id, 'acme-ci');
  });

  const wrong: readonly [Partial<typeof valid>, RegExp][] = [
    [{ id: 'Acme CI' }, /provider id `Acme CI`: lower-case letters, digits and dashes/],
    [{ id: '' }, /provider id ``/],
    [{ id: '7up' }, /provider id `7up`/],
    [{ docs: 'our wiki' }, /provider `acme-ci`: docs `our wiki` is no address/],
    [{ filters: [] }, /provider `acme-ci`: filters/],
    [{ filters: ['application', 'colour' as Filter] }, /filters `colour` are none of application, /],
  ];
  for (const [change, message] of wrong) {
    it(`refuses ${JSON.stringify(change)}`, () => {
      assert.throws(() => defineProvider({ ...valid, ...change }), { name: 'TypeError', message });
    });
  }
});
