import assert from 'node:assert/strict';
import fc from 'fast-check';
import { XMLValidator } from 'fast-xml-parser';
import {
  type Badge,
  createLogos,
  parsePresentation,
  renderEndpoint,
  renderJson,
  renderSvg,
  STYLES,
  toBadge,
} from '../../lib/badges/index.ts';
import { STATES } from '../../lib/builds/index.ts';
import { anyText } from '../texts.ts';

const badge: Badge = { label: 'build', message: 'error', color: 'red', style: 'flat', links: [] };
/** What XML 1.0 has a place for. https://www.w3.org/TR/xml/#charsets */
const XML_TEXT = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

function checkXml(svg: string): void {
  assert.equal(XMLValidator.validate(svg), true);
  assert.match(svg, XML_TEXT);
  assert.ok(svg.isWellFormed());
}

describe('renderSvg', () => {
  const logos = createLogos();

  for (const style of STYLES) {
    it(`draws ${style}: a picture with a name for those who do not see it`, () => {
      const svg = renderSvg({ ...badge, style, labelColor: '#123', logo: 'data:image/png;base64,AA==' });
      checkXml(svg);
      assert.match(svg, /^<svg [^>]*role="img" aria-label="build: error"/i);
      assert.match(svg, /<title>build: error<\/title>/i);
    });

    it(`draws ${style} with another title`, () => {
      const svg = renderSvg({ ...badge, style, title: `$& "a" <b> & 'c' $1` });
      checkXml(svg);
      const escaped = '$&#38; &#34;a&#34; &#60;b&#62; &#38; &#39;c&#39; $1';
      assert.ok(svg.includes(`aria-label="${escaped}"`) && svg.includes(`<title>${escaped}</title>`), svg);
    });

    it(`draws ${style} with two links, and leaves them reachable`, () => {
      const svg = renderSvg({
        ...badge,
        style,
        links: ['https://a.test/?x=1&y="2"', 'https://b.test'],
        title: 'stale',
      });
      checkXml(svg);
      assert.deepEqual(
        [...svg.matchAll(/<a [^>]*href="https:\/\/(\w)/g)].map(([, host]) => host),
        ['a', 'b'],
      );
    });
  }

  it('is well-formed XML without a script or an address elsewhere, whatever was asked for', () => {
    const text = fc.oneof(
      anyText(),
      fc.constantFrom('</text><script>alert(1)</script>', '&nbsp;', ']]>', '<!--', '"onload="x', '\u202e\0\ufffe'),
    );
    const look = fc.record({
      style: fc.constantFrom(...STYLES, 'odd'),
      label: text,
      labelColor: text,
      color: text,
      logo: fc.oneof(text, fc.constantFrom('jenkins', 'https://evil.test/x.png', 'data:image/png;base64,AA==')),
      logoColor: text,
      link: fc.oneof(
        text,
        fc.constantFrom('javascript:alert(1)', 'https://a.test/"><script>', "https://a.test/&x='y'"),
      ),
      message: fc.constantFrom('status', 'state'),
    });
    const shown = fc.record({ state: fc.constantFrom(...STATES), status: text, stale: fc.boolean() });
    fc.assert(
      fc.property(look, shown, (asked, { state, status, stale }) => {
        const execution = { outcome: 'passed', status, application: text.toString(), pages: {} } as const;
        const drawn = toBadge({ state, stale, execution }, parsePresentation(Object.entries(asked)), logos);
        const svg = renderSvg(drawn);
        checkXml(svg);
        assert.doesNotMatch(svg, /<script|\son\w+=|<foreignObject/i);
        for (const [, address = ''] of svg.matchAll(/<image[^>]* href="([^"]*)"/g))
          assert.match(address, /^data:image\//);
        for (const [, address = ''] of svg.matchAll(/<a[^>]* href="([^"]*)"/g)) assert.match(address, /^https?:/i);
      }),
      { numRuns: 100 },
    );
  });
});

describe('renderJson', () => {
  it('has the fields of shields.io, and facts beside them', () => {
    assert.deepEqual(JSON.parse(renderJson({ ...badge, links: ['https://a.test'] }, { state: 'error' })), {
      label: 'build',
      message: 'error',
      color: 'red',
      link: ['https://a.test'],
      name: 'build',
      value: 'error',
      state: 'error',
    });
  });
});

describe('renderEndpoint', () => {
  it('is the endpoint schema of shields.io', () => {
    assert.deepEqual(JSON.parse(renderEndpoint({ ...badge, labelColor: '#123' }, true)), {
      schemaVersion: 1,
      label: 'build',
      message: 'error',
      color: 'red',
      labelColor: '#123',
      style: 'flat',
      isError: true,
    });
  });
});
