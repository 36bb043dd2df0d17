import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { BuildQuery } from '../../lib/builds/index.ts';
import { type Alias, createRouting, type Source, toMatcher, UnknownSource } from '../../lib/sources/index.ts';

const sourceOf = (name: string) => ({ name }) as Source;
const ALL = () => true;
const only =
  (...names: readonly string[]) =>
  (name: string) =>
    names.includes(name);

describe('routing', () => {
  const routing = createRouting(
    [
      { source: sourceOf('github'), patterns: ['acme/*', 'Inedo/*'] },
      { source: sourceOf('gitlab'), patterns: ['acme/web'] },
      { source: sourceOf('jenkins') },
      { source: sourceOf('push') },
    ],
    {
      InedoCore: { source: 'github', query: { application: 'Inedo/inedox-inedocore' } },
      Nightly: { source: 'jenkins', query: { application: 'build/nightly', branch: 'main', variables: { a: '1' } } },
      Two: { source: 'jenkins', query: { applicationId: '2' } },
    } satisfies Record<string, Alias>,
  );

  /** The names of the sources to ask, in turn. */
  const names = (query: BuildQuery, named?: string, mayAsk: (source: string) => boolean = ALL) =>
    routing.routesFor(query, named, mayAsk)?.map(({ source }) => source.name);

  const rows: readonly [string, BuildQuery, string | undefined, (source: string) => boolean, string[] | undefined][] = [
    ['a named source', { application: 'acme/web' }, 'jenkins', ALL, ['jenkins']],
    ['a named source before an alias', { application: 'Nightly' }, 'push', ALL, ['push']],
    ['nobody for a named source that the key may not see', { application: 'x' }, 'jenkins', only('push'), undefined],
    ['nobody for a named source that is not there, with a narrow key', {}, 'nowhere', only('push'), undefined],
    ['the source of an alias', { application: 'InedoCore' }, undefined, ALL, ['github']],
    ['the source of an alias in any case', { application: 'inedocore' }, undefined, ALL, ['github']],
    [
      'nobody for an alias to a source that the key may not see',
      { application: 'Nightly' },
      undefined,
      only('push'),
      undefined,
    ],
    ['those whose patterns fit, in order', { application: 'acme/web' }, undefined, ALL, ['github', 'gitlab']],
    ['those whose patterns fit, in any case', { application: 'ACME/API' }, undefined, ALL, ['github']],
    ['those without patterns when none fits', { application: 'other' }, undefined, ALL, ['jenkins', 'push']],
    ['those without patterns when no application is named', {}, undefined, ALL, ['jenkins', 'push']],
    ['only those that the key may see', { application: 'acme/web' }, undefined, only('gitlab', 'push'), ['gitlab']],
    ['the others that the key may see', { application: 'acme/web' }, undefined, only('push'), ['push']],
    ['none where the key sees none that fits', { application: 'other' }, undefined, only('github'), []],
    ['nobody where the key sees no source', { application: 'acme/web' }, undefined, only(), undefined],
  ];
  for (const [what, query, named, mayAsk, wanted] of rows) {
    it(`asks ${what}`, () => assert.deepEqual(names(query, named, mayAsk), wanted));
  }

  it('says which source is not there', () => {
    assert.throws(
      () => names({}, 'nowhere'),
      (error: unknown) => {
        assert.ok(error instanceof UnknownSource);
        assert.deepEqual([error.reason, error.message], ['unknown-source', 'there is no source `nowhere` here']);
        return true;
      },
    );
    assert.throws(() => names({}, 'constructor'), UnknownSource);
  });

  const aliases: readonly [BuildQuery, BuildQuery][] = [
    [{ application: 'InedoCore' }, { application: 'Inedo/inedox-inedocore' }],
    [{ application: 'nightly' }, { application: 'build/nightly', branch: 'main', variables: { a: '1' } }],
    [
      { application: 'Nightly', branch: 'next', build: '7' },
      { application: 'build/nightly', branch: 'next', build: '7', variables: { a: '1' } },
    ],
    [
      { application: 'Two', release: '1.0' },
      { applicationId: '2', release: '1.0' },
    ],
  ];
  for (const [asked, query] of aliases) {
    it(`an alias turns ${JSON.stringify(asked)} into ${JSON.stringify(query)}`, () => {
      assert.deepEqual(
        routing.routesFor(asked, undefined, ALL)?.map((route) => route.query),
        [query],
      );
    });
  }

  it('leaves the query alone where there is no alias', () => {
    const query = { application: 'constructor', branch: 'x' };
    for (const route of routing.routesFor(query, undefined, ALL) ?? []) assert.equal(route.query, query);
  });

  it('knows its sources by name', () => {
    assert.equal(routing.sourceOf('push')?.name, 'push');
    assert.equal(routing.sourceOf('__proto__'), undefined);
    assert.deepEqual(
      routing.sources.map(({ name }) => name),
      ['github', 'gitlab', 'jenkins', 'push'],
    );
  });
});

describe('toMatcher', () => {
  const rows: readonly [string, string, boolean][] = [
    ['acme/web', 'acme/web', true],
    ['acme/web', 'Acme/Web', true],
    ['acme/web', 'acme/web2', false],
    ['acme/*', 'acme/', true],
    ['acme/*', 'acme/a/b', true],
    ['acme/*', 'xacme/a', false],
    ['*web', 'acme/web', true],
    ['*/web', 'web', false],
    ['*', '', true],
    ['a.b', 'axb', false],
    ['a+(b)[c]{d}|^$?\\', 'a+(b)[c]{d}|^$?\\', true],
    ['a*c', 'a\nc', true],
  ];
  for (const [pattern, name, fits] of rows) {
    it(`${pattern} ${fits ? 'fits' : 'does not fit'} ${JSON.stringify(name)}`, () => {
      assert.equal(toMatcher([pattern])(name), fits);
    });
  }

  it('fits nothing without a pattern, and one of several is enough', () => {
    assert.equal(toMatcher([])('x'), false);
    assert.equal(toMatcher(['y', 'x'])('x'), true);
  });

  it('a name without a star fits itself alone', () => {
    const name = fc.string().map((text) => text.replaceAll('*', ''));
    fc.assert(
      fc.property(name, name, (pattern, other) => {
        assert.equal(toMatcher([pattern])(pattern), true);
        if (pattern.toLowerCase() !== other.toLowerCase()) assert.equal(toMatcher([pattern])(other), false);
      }),
    );
  });
});
