import assert from 'node:assert/strict';
import { createAccess, digestOf, type Key, newKeyText, SCOPES, type Scope } from '../../lib/access/index.ts';
import { holds, see } from '../../lib/resolving/index.ts';

const keyOf = (text: string, more: Partial<Key> = {}): Key => {
  return { name: text, digest: digestOf(text), scopes: ['badges'], ...more };
};

describe('access', () => {
  const given: Record<Scope, readonly Scope[]> = {
    badges: ['badges'],
    read_api: ['read_api'],
    api: ['api', 'read_api'],
    push: ['push'],
    admin: SCOPES,
  };
  for (const scope of SCOPES) {
    for (const wanted of SCOPES) {
      const allowed = given[scope].includes(wanted);
      it(`a key for ${scope} ${allowed ? 'gives' : 'does not give'} ${wanted}`, () => {
        const access = createAccess([keyOf('k', { scopes: [scope] })], false);
        assert.equal(access.authorize('k', wanted) !== undefined, allowed);
      });
    }
  }

  for (const text of [
    undefined,
    '',
    'K',
    'k ',
    digestOf('k'),
    'other',
    'constructor',
    '__proto__',
    '\0',
    'k'.repeat(99_999),
  ]) {
    it(`knows no key ${JSON.stringify(text)?.slice(0, 40)}`, () => {
      assert.equal(createAccess([keyOf('k')], false).authorize(text, 'badges'), undefined);
    });
  }

  it('lets a key expire at its instant', () => {
    let now = 999;
    const access = createAccess([keyOf('k', { expiresAt: new Date(1_000) })], false, () => now);
    assert.equal(access.authorize('k', 'badges')?.until, 1_000);
    assert.equal(access.hasExpired('k'), false);
    now = 1_000;
    assert.equal(access.authorize('k', 'badges'), undefined);
    assert.equal(access.hasExpired('k'), true);
    assert.equal(access.hasExpired('other'), false);
  });

  it('limits a key to its sources and applications', () => {
    const access = createAccess([keyOf('k', { sources: ['ci'], applications: ['acme/*', 'web'] })], false);
    const grant = access.authorize('k', 'badges');
    assert.deepEqual(
      ['ci', 'push', 'CI'].map((source) => grant?.mayAsk(source)),
      [true, false, false],
    );
    const applications = ['acme/web', 'ACME/x', 'web', 'acme', 'web2', undefined];
    assert.deepEqual(
      applications.map((name) => grant?.mayShow(name)),
      [true, true, true, false, false, false],
    );
  });

  it('limits a key without limits to nothing', () => {
    const grant = createAccess([keyOf('k')], false).authorize('k', 'badges');
    assert.deepEqual([grant?.mayAsk('any'), grant?.mayShow('any'), grant?.mayShow(undefined)], [true, true, true]);
  });

  it('limits a key to nothing at all with empty limits', () => {
    const grant = createAccess([keyOf('k', { sources: [], applications: [] })], false).authorize('k', 'badges');
    assert.deepEqual([grant?.mayAsk('any'), grant?.mayShow('any')], [false, false]);
  });

  it('gives passers-by what is said, and nothing but badges', () => {
    assert.equal(createAccess([], false).grantOf(undefined), undefined);
    const all = createAccess([], true);
    assert.equal(all.authorize(undefined, 'badges')?.mayAsk('any'), true);
    for (const scope of SCOPES.filter((other) => other !== 'badges')) {
      assert.equal(all.authorize(undefined, scope), undefined, scope);
    }
    const some = createAccess([], ['ci']).authorize(undefined, 'badges');
    assert.deepEqual([some?.mayAsk('ci'), some?.mayAsk('push')], [true, false]);
  });

  it('does not take a wrong key for a passer-by', () => {
    assert.equal(createAccess([], true).authorize('wrong', 'badges'), undefined);
  });

  it('takes other keys, and says that they changed', () => {
    const access = createAccess([keyOf('old')], false);
    const seen = see(access.stamp);
    access.replace([keyOf('new')]);
    assert.equal(holds(seen), false);
    assert.equal(access.authorize('old', 'badges'), undefined);
    assert.equal(access.authorize('new', 'badges')?.key, 'new');
  });
});

describe('a new key', () => {
  it('is long, random, and needs no encoding in an address', () => {
    const texts = Array.from({ length: 100 }, newKeyText);
    assert.equal(new Set(texts).size, 100);
    for (const text of texts) assert.match(text, /^sbx_[\w-]{43}$/);
  });

  it('is kept as its SHA-256', () => {
    assert.equal(digestOf('badges'), '83ad6512db11213227b03c4a10550c0f5e043cde61f217cc135d29d2295e2fd8');
  });
});
