import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type Argument,
  type BuildQuery,
  fullCommitOf,
  parseQuery,
  QueryError,
  queryIdentity,
  refOf,
} from '../../lib/builds/index.ts';
import { anyText } from '../texts.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const read = (...args: Argument[]) => parseQuery(args).query;

describe('parseQuery', () => {
  const filters: readonly [string, string, BuildQuery][] = [
    ['$ApplicationName', 'acme/web', { application: 'acme/web' }],
    ['$ApplicationId', '2', { applicationId: '2' }],
    ['$ReleaseNumber', '1.0.1', { release: '1.0.1' }],
    ['$BuildNumber', '7', { build: '7' }],
    ['$Branch', 'feature/x', { branch: 'feature/x' }],
    ['$Tag', 'v1', { tag: 'v1' }],
    ['$GitCommit', SHA, { commit: SHA }],
    ['$Commit', SHA.slice(0, 7), { commit: SHA.slice(0, 7) }],
    ['workflow', 'ci.yml', { workflow: 'ci.yml' }],
    ['stage', 'Integration', { stage: 'Integration' }],
    ['job', 'test', { job: 'test' }],
    ['finished', '1', { finished: true }],
    ['finished', '', { finished: true }],
    ['finished', 'no', {}],
    ['$Colour', 'red', { variables: { Colour: 'red' } }],
    ['$ApplicationName', ' ünï☃ ', { application: ' ünï☃ ' }],
  ];
  for (const [name, value, query] of filters) {
    for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
      it(`reads ${spelling}=${value}`, () => {
        const { variables, ...rest } = read([spelling, value]);
        const { variables: wanted, ...others } = query;
        assert.deepEqual(rest, others);
        assert.deepEqual(Object.values(variables ?? {}), Object.values(wanted ?? {}));
      });
    }
  }

  it('ignores what is no part of a build query', () => {
    assert.deepEqual(read(['key', 'K'], ['style', 'flat'], ['ApplicationName', 'x'], ['', ''], ['branch', 'x']), {});
  });

  it('writes a SHA in lower case', () => assert.equal(read(['$GitCommit', 'ABCDEF0']).commit, 'abcdef0'));

  it('keeps a variable as it was spelled, whatever it is called', () => {
    for (const name of ['GitHubRun', '__proto__', 'constructor', 'a b', '$']) {
      assert.deepEqual(Object.entries(read([`$${name}`, 'x']).variables ?? {}), [[name, 'x']]);
    }
  });

  const refused: readonly [Argument[], RegExp][] = [
    [[['$ApplicationName', '']], /\$ApplicationName is empty/],
    [[['$Branch', 'a\0b']], /\$Branch has a control character/],
    [[['$Branch', 'a\nb']], /control character/],
    [[['$Tag', 'x'.repeat(1025)]], /\$Tag has 1025 characters: 1024 are the most/],
    [[['$GitCommit', 'abcdef']], /no commit: 7 to 64 hexadecimal digits/],
    [[['$GitCommit', 'main']], /no commit/],
    [[['$commit', 'a'.repeat(65)]], /no commit/],
    [[['$', 'x']], /no variable name/],
    [[['$Colour', '']], /\$Colour is empty/],
    [[['finished', 'perhaps']], /finished is neither 1 nor 0/],
    [Array.from({ length: 21 }, (_, index) => [`$V${index}`, 'x'] as const), /21 variables are too many/],
  ];
  for (const [args, message] of refused) {
    it(`refuses ${JSON.stringify(args).slice(0, 50)}`, () => {
      assert.throws(() => parseQuery(args), { name: 'QueryError', message });
    });
  }

  it('lets the first of a name that is given twice count, and says so', () => {
    const { query, duplicates } = parseQuery([
      ['$Branch', 'main'],
      ['$branch', 'other'],
      ['$Colour', 'red'],
      ['$COLOUR', 'blue'],
      ['finished', '0'],
      ['finished', '1'],
      ['$Commit', SHA],
      ['$GitCommit', 'not even a commit'],
    ]);
    assert.deepEqual(query, { branch: 'main', commit: SHA, variables: { Colour: 'red' } });
    assert.deepEqual(duplicates, ['$branch', '$COLOUR', 'finished', '$GitCommit']);
  });

  it('throws nothing but QueryError, whatever is sent', () => {
    const names = ['$ApplicationName', '$GitCommit', 'finished', '$', '$__proto__', 'workflow', '__proto__'];
    const anything = anyText(40);
    const argument = fc.tuple(fc.oneof(fc.constantFrom(...names), anything), anything);
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 30 }), (args) => {
        try {
          const { query } = parseQuery(args);
          assert.equal(typeof queryIdentity(query), 'string');
        } catch (error) {
          assert.ok(error instanceof QueryError, String(error));
        }
      }),
    );
  });
});

describe('queryIdentity', () => {
  const names = ['$ApplicationName', '$ApplicationId', '$ReleaseNumber', '$Branch', '$Tag', '$BuildNumber', 'finished'];
  const others = ['$A', '$b', '$Colour', '$constructor', '$__proto__', 'workflow', 'stage', 'job'];
  const value = fc.constantFrom('1', '0', 'true');
  const someArguments = fc.uniqueArray(fc.tuple(fc.constantFrom(...names, ...others), value), {
    selector: ([name]) => name,
  });

  it('is the same in whatever order and case the arguments came', () => {
    const orders = someArguments.chain((args) =>
      fc.tuple(fc.constant(args), fc.shuffledSubarray(args, { minLength: args.length })),
    );
    fc.assert(
      fc.property(orders, ([args, shuffled]) => {
        const folded = shuffled.map(([name, text]) => [name.toLowerCase(), text] as const);
        assert.equal(queryIdentity(read(...args)), queryIdentity(read(...folded)));
      }),
    );
  });

  it('differs where the queries differ', () => {
    fc.assert(
      fc.property(someArguments, someArguments, (one, other) => {
        const text = (args: readonly Argument[]) =>
          JSON.stringify(
            args
              .filter(([name, flag]) => name !== 'finished' || flag !== '0')
              .map(([name, flag]) => (name === 'finished' ? name : `${name}=${flag}`))
              .sort(),
          );
        assert.equal(queryIdentity(read(...one)) === queryIdentity(read(...other)), text(one) === text(other));
      }),
    );
  });

  it('tells a query from one that asks more', () => {
    const all: readonly Argument[] = [...names, ...others].map((name) => [name, '1']);
    for (const [name] of all) {
      const less = all.filter(([other]) => other !== name);
      assert.notEqual(queryIdentity(read(...less)), queryIdentity(read(...all)), name);
    }
  });

  it('tells filters apart that have the same value', () => {
    const values = ['$Branch', '$Tag', '$ReleaseNumber', '$BuildNumber', '$ApplicationName', '$X', '$Y', 'stage'];
    const identities = new Set(values.map((name) => queryIdentity(read([name, '1']))));
    assert.equal(identities.size, values.length);
  });
});

describe('refOf and fullCommitOf', () => {
  const refs: readonly [BuildQuery, string | undefined][] = [
    [{}, undefined],
    [{ release: 'r' }, 'r'],
    [{ release: 'r', tag: 't' }, 't'],
    [{ release: 'r', tag: 't', branch: 'b' }, 'b'],
  ];
  for (const [query, ref] of refs)
    it(`the ref of ${JSON.stringify(query)} is ${ref}`, () => assert.equal(refOf(query), ref));

  it('a commit is full from 40 digits on', () => {
    assert.equal(fullCommitOf({ commit: SHA }), SHA);
    assert.equal(fullCommitOf({ commit: SHA.slice(0, 39) }), undefined);
    assert.equal(fullCommitOf({}), undefined);
  });
});
