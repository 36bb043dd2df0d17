import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Badge, brightnessOf, normalizeColor, renderSvg } from '../../lib/badges/index.ts';

describe('normalizeColor', () => {
  const taken: readonly [string, string][] = [
    ['brightgreen', 'brightgreen'],
    ['green', 'green'],
    ['lightgrey', 'lightgrey'],
    ['lightgray', 'lightgrey'],
    ['gray', 'grey'],
    ['critical', 'red'],
    ['important', 'orange'],
    ['success', 'brightgreen'],
    ['informational', 'blue'],
    ['inactive', 'lightgrey'],
    ['RED', 'red'],
    ['BrightGreen', 'brightgreen'],
    [' Orange ', 'orange'],
    ['f00', '#f00'],
    ['FF0000', '#ff0000'],
    ['#F00', '#f00'],
    ['#ff000080', '#ff000080'],
    ['#f008', '#f008'],
    ['rebeccapurple', 'rebeccapurple'],
    ['SteelBlue', 'steelblue'],
    ['rgb(255, 0, 0)', 'rgb(255, 0, 0)'],
    ['RGBA(255,0,0,0.5)', 'rgba(255,0,0,0.5)'],
    ['hsl(0, 100%, 50%)', 'hsl(0, 100%, 50%)'],
  ];
  for (const [text, color] of taken) it(`reads ${text}`, () => assert.equal(normalizeColor(text), color));

  const refused = [
    '',
    ' ',
    'transparent',
    'currentColor',
    'inherit',
    'oklch(70% 0.1 200)',
    'color-mix(in srgb, red, blue)',
    'constructor',
    'toString',
    '__proto__',
    'hasOwnProperty',
    'valueOf',
    'reddish',
    'ff00',
    '#ff',
    '#ggg',
    'url(#x)',
    'red;fill:blue',
    'rgb(1,2,3)"/>',
    'var(--x)',
    `#${'f'.repeat(100)}`,
  ];
  for (const text of refused) {
    it(`does not read ${JSON.stringify(text)}`, () => assert.equal(normalizeColor(text), undefined));
  }

  it('gives nothing that is drawn bright green, undefined or as markup, unless it is meant to be', () => {
    const color = fc.oneof(
      fc.constantFrom(...taken.map(([text]) => text), ...refused),
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF#'), maxLength: 9 }),
      fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999)).map((parts) => `rgb(${parts})`),
      fc.tuple(fc.nat(720), fc.nat(200), fc.nat(200)).map(([h, s, l]) => `hsl(${h}, ${s}%, ${l}%)`),
    );
    fc.assert(
      fc.property(color, (text) => {
        const normal = normalizeColor(text);
        if (normal === undefined || normal === 'brightgreen') return;
        const fills = [...renderSvg(badgeOf(normal)).matchAll(/ fill="([^"]*)"/g)].map(([, fill]) => fill);
        for (const fill of fills) {
          assert.ok(fill !== '#4b0' || normal === '#4b0' || normal === '#44bb00', `${text} is drawn bright green`);
          assert.match(fill ?? '', /^(#[\da-f]{3,8}|[a-z]+|url\(#\w+\)|(rgb|hsl)a?\([\d\s.,%/+-]+\))$/);
          assert.notEqual(fill, 'undefined');
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('brightnessOf', () => {
  const rows: readonly [string, number][] = [
    ['#000', 0],
    ['black', 0],
    ['#fff', 1],
    ['white', 1],
    ['no colour', 0],
  ];
  for (const [color, brightness] of rows)
    it(`${color}: ${brightness}`, () => assert.equal(brightnessOf(color), brightness));

  it('sees green as brighter than red, and red than blue', () => {
    assert.ok(brightnessOf('#0f0') > brightnessOf('#f00') && brightnessOf('#f00') > brightnessOf('#00f'));
  });
});

function badgeOf(color: string): Badge {
  return { label: 'a', message: 'b', color, style: 'flat', links: [] };
}
