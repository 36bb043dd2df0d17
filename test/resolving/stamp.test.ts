import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ApplicationStamps, holds, Stamp, see } from '../../lib/resolving/index.ts';

describe('a stamp', () => {
  it('holds until it is touched', () => {
    const [one, other] = [new Stamp(), new Stamp()];
    const seen = see(one, other);
    assert.equal(holds(seen), true);
    other.touch();
    assert.equal(holds(seen), false);
    assert.equal(holds(see(one, other)), true);
  });

  it('of nothing always holds', () => assert.equal(holds(see()), true));
});

describe('stamps of applications', () => {
  const name = fc.string({ unit: 'grapheme', maxLength: 12 });
  const maybe = fc.option(name, { nil: undefined });

  function isTouched(touched: readonly [string, string?], watched: readonly [string, string | undefined]): boolean {
    const stamps = new ApplicationStamps();
    const seen = see(...stamps.of(...watched));
    stamps.touch(...touched);
    return !holds(seen);
  }

  it('are touched by a change of their own application, in whatever case', () => {
    fc.assert(
      fc.property(name, name, (source, application) => {
        assert.ok(isTouched([source, application.toUpperCase().toLowerCase()], [source, application.toUpperCase()]));
        assert.ok(isTouched([source, application], [source, application]));
      }),
    );
  });

  it('are touched by a change of the whole source', () => {
    fc.assert(fc.property(name, maybe, (source, application) => isTouched([source], [source, application])));
  });

  it('of any application are touched by a change of one', () => {
    fc.assert(fc.property(name, name, (source, application) => isTouched([source, application], [source, undefined])));
  });

  const untouched: readonly [[string, string?], [string, string | undefined]][] = [
    [
      ['ci', 'web'],
      ['ci', 'api'],
    ],
    [
      ['ci', 'web'],
      ['other', 'web'],
    ],
    [['ci'], ['other', 'web']],
    [
      ['ci', 'web'],
      ['other', undefined],
    ],
  ];
  for (const [touched, watched] of untouched) {
    it(`a change of ${touched} leaves ${watched} alone`, () => assert.equal(isTouched(touched, watched), false));
  }

  it('take no more room, however many names are asked for', () => {
    const stamps = new ApplicationStamps();
    const seen = new Set(Array.from({ length: 20_000 }, (_, index) => stamps.of('ci', `application ${index}`)).flat());
    assert.ok(seen.size <= 4_096, `${seen.size} stamps`);
  });
});
