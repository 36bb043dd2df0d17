import assert from 'node:assert/strict';
import { createLogos } from '../../lib/badges/index.ts';

const PIXEL = 'data:image/png;base64,iVBORw0KGgo=';

describe('logos', () => {
  const logos = createLogos();
  const svgOf = (logo: string, color?: string, style: 'flat' | 'social' = 'flat') => {
    const [, data = ''] = /^data:image\/svg\+xml;base64,(.*)$/.exec(logos(logo, { color, style }) ?? '') ?? [];
    return Buffer.from(data, 'base64').toString();
  };

  for (const slug of ['jenkins', 'Jenkins', 'github', 'git-lab', 'Git Lab']) {
    it(`has ${slug}`, () => assert.match(svgOf(slug), /^<svg fill="[^"]+" .*<title>.*<\/svg>$/));
  }

  const fills: readonly [string, string | undefined, 'flat' | 'social', string][] = [
    ['jenkins', 'red', 'flat', 'red'],
    ['jenkins', 'brightgreen', 'flat', '#4b0'],
    ['jenkins', undefined, 'flat', '#D24939'],
    ['github', undefined, 'flat', 'whitesmoke'],
    ['github', undefined, 'social', '#181717'],
    ['npm', 'rgb(1, 2, 3)', 'social', 'rgb(1, 2, 3)'],
  ];
  for (const [slug, color, style, fill] of fills) {
    it(`draws ${slug} in ${fill} where ${color ?? 'no colour'} was asked for on ${style}`, () => {
      assert.ok(svgOf(slug, color, style).startsWith(`<svg fill="${fill}" `));
    });
  }

  const data: readonly [string, string][] = [
    [PIXEL, PIXEL],
    [PIXEL.slice('data:'.length), PIXEL],
    ['data:image/png;base64,iVB Rw0 Go=', 'data:image/png;base64,iVB+Rw0+Go='],
    ['data:image/svg+xml;base64,PHN2Zy8+', 'data:image/svg+xml;base64,PHN2Zy8+'],
    ['data:image/svg xml;base64,PHN2Zy8 ', 'data:image/svg+xml;base64,PHN2Zy8+'],
  ];
  for (const [logo, uri] of data) it(`takes ${logo}`, () => assert.equal(logos(logo, { style: 'flat' }), uri));

  const refused = [
    '',
    'no-such-icon',
    'https://evil.test/x.svg',
    '//evil.test/x.svg',
    'javascript:alert(1)',
    'data:text/html;base64,PHN2Zy8+',
    'data:image/png,plain',
    'data:image/png;base64,"><script>',
    'data:image/png;base64,iVB\nRw0',
    '../package',
    '../../package.json#',
    'constructor',
    'x'.repeat(65),
  ];
  for (const logo of refused) {
    it(`refuses ${JSON.stringify(logo)}`, () => assert.equal(logos(logo, { style: 'flat' }), undefined));
  }
});
