import assert from 'node:assert/strict';
import {
  createLogos,
  type Logos,
  PALETTES,
  type Presentation,
  type Shown,
  STYLES,
  toBadge,
} from '../../lib/badges/index.ts';
import { type Execution, STATES } from '../../lib/builds/index.ts';

const execution: Execution = { outcome: 'warned', status: 'UNSTABLE', application: 'shop', build: '7', pages: {} };
const logos: Logos = (logo) => (logo === 'known' ? 'data:image/png;base64,AA==' : undefined);
const badge = (shown: Partial<Shown>, presentation: Presentation = {}) =>
  toBadge({ state: 'success', stale: false, ...shown }, presentation, logos);

describe('the badge of a build', () => {
  for (const state of STATES) {
    it(`says ${state} in its colour`, () => {
      assert.deepEqual(badge({ state }), {
        label: 'build',
        message: state,
        color: PALETTES.signalbox.states[state],
        style: 'flat',
        links: [],
      });
    });

    it(`says ${state} in the colours of BuildMaster`, () => {
      const { color, labelColor } = badge({ state }, { palette: 'buildmaster' });
      assert.deepEqual([color, labelColor], [PALETTES.buildmaster.states[state], '#282b3a']);
    });
  }

  it('has the colours of BuildMaster as it draws them', () => {
    assert.deepEqual(Object.values(PALETTES.buildmaster.states), [
      '#499e8d',
      '#48729d',
      '#48729d',
      '#ee9d66',
      '#de5948',
      '#a6adb6',
    ]);
  });

  it('tells states apart that mean another thing', () => {
    const { states } = PALETTES.signalbox;
    assert.equal(new Set(Object.values(states)).size, STATES.length);
  });

  const messages: readonly [Partial<Shown>, Presentation, string][] = [
    [{ state: 'warning', execution }, {}, 'warning'],
    [{ state: 'warning', execution }, { message: 'state' }, 'warning'],
    [{ state: 'warning', execution }, { message: 'status' }, 'UNSTABLE'],
    [{ state: 'unknown' }, { message: 'status' }, 'unknown'],
    [{ state: 'error', execution: { ...execution, status: '\u202e \0' } }, { message: 'status' }, 'error'],
    [{ state: 'warning', execution }, { message: 'build' }, 'warning #7'],
    [{ state: 'warning', execution: { ...execution, build: '1.0.7' } }, { message: 'build' }, 'warning 1.0.7'],
    [{ state: 'warning', execution: { ...execution, build: undefined } }, { message: 'build' }, 'warning'],
    [{ state: 'unknown' }, { message: 'build' }, 'unknown'],
  ];
  for (const [shown, presentation, message] of messages) {
    it(`says ${message} with ${JSON.stringify(presentation)}`, () => {
      assert.equal(badge(shown, presentation).message, message);
    });
  }

  const colors: readonly [Shown['state'], string, string][] = [
    ['success', 'blue', 'blue'],
    ['running', 'FF0000', '#ff0000'],
    ['warning', 'brightgreen', 'brightgreen'],
    ['success', 'no colour', 'brightgreen'],
    ['warning', 'constructor', 'orange'],
    ['warning', '', 'orange'],
    ['error', 'brightgreen', 'red'],
    ['error', '#4b0', 'red'],
    ['unknown', 'brightgreen', 'lightgrey'],
  ];
  for (const [state, asked, color] of colors) {
    it(`${state} is ${color} where ${JSON.stringify(asked)} was asked for`, () => {
      assert.equal(badge({ state }, { color: asked }).color, color);
    });
  }

  it('has the label, its colour, style, links and logo that were asked for', () => {
    const links = ['https://a.test'];
    const look = { label: ' te\0sts ', labelColor: 'ABC', style: 'plastic', links, logo: 'known' } as const;
    assert.deepEqual(badge({}, look), {
      label: 'te sts',
      labelColor: '#abc',
      style: 'plastic',
      links,
      logo: 'data:image/png;base64,AA==',
      message: 'success',
      color: 'brightgreen',
    });
  });

  it('leaves out a logo and a label colour that it cannot draw', () => {
    const { logo, labelColor } = badge({}, { logo: 'https://evil.test/x.png', labelColor: 'oklch(1 2 3)' });
    assert.deepEqual([logo, labelColor], [undefined, undefined]);
  });

  it('has the label colour of its palette where none was asked for', () => {
    assert.equal(badge({}, { palette: 'buildmaster', labelColor: '' }).labelColor, '#282b3a');
  });

  it('draws a logo in its own colour where none that is one was asked for', () => {
    for (const logoColor of ['', 'no colour', 'transparent']) {
      const asked: unknown[] = [];
      toBadge({ state: 'success', stale: false }, { logo: 'x', logoColor }, (_, { color }) => {
        asked.push(color);
        return undefined;
      });
      assert.deepEqual(asked, [undefined]);
    }
  });

  it('draws a real logo in the colour that was asked for', () => {
    const drawn = toBadge({ state: 'success', stale: false }, { logo: 'jenkins', logoColor: 'FF0' }, createLogos());
    const svg = Buffer.from(drawn.logo?.split(',')[1] ?? '', 'base64').toString();
    assert.match(svg, /^<svg fill="#ff0"/);
  });

  describe('that is stale', () => {
    const askedAt = new Date('2026-01-02T03:04:05Z');

    it('says since when in its title, and looks the same', () => {
      const { title, ...rest } = badge({ stale: true, askedAt, state: 'error' });
      assert.equal(title, 'build: error, last known at 2026-01-02 03:04 UTC');
      assert.deepEqual(rest, badge({ state: 'error' }));
    });

    it('may not know since when', () => {
      assert.equal(badge({ stale: true }).title, 'build: success, last known some time ago');
    });
  });

  it('knows the five styles of badge-maker', () => {
    assert.deepEqual([...STYLES], ['flat', 'flat-square', 'plastic', 'for-the-badge', 'social']);
  });
});
