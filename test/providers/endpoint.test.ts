import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BadRequest, checkSegment, endpoint, pageUrl, splitName } from '../../lib/providers/index.ts';
import { anyText } from '../texts.ts';

const STRANGE = [
  '../../secret',
  'a/../b',
  '..',
  '.',
  '%2e%2e',
  '%2E%2E%2F',
  '..%2f',
  'a\0b',
  'a\r\nHost: evil',
  '\t..',
  'x'.repeat(5_000),
  'päth/ünï☃',
  '//evil.test/x',
  'https://evil.test/',
  'a?b#c',
  'a;b=c',
  '\\..\\x',
  '@evil.test',
  ':80',
  '\ud800',
  '',
  ' ',
];

describe('endpoint', () => {
  const roots = ['https://ci.test', 'https://ci.test/api/v2', 'http://127.0.0.1:8080/a%20b'];
  const segment = fc.oneof(fc.constantFrom(...STRANGE), fc.string(), anyText());
  const segments = fc.array(segment, { minLength: 1, maxLength: 5 });

  it('stays below its root, one segment for each name, or is refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...roots), segments, (root, names) => {
        const url = addressOf(root, names);
        if (!url) return;
        assert.ok(url.href.startsWith(`${root}/`), url.href);
        assert.equal(url.search + url.hash, '');
        const below = url.href.slice(root.length + 1).split('/');
        assert.deepEqual(below.map(decodeURIComponent), names);
      }),
      { numRuns: 500 },
    );
  });

  for (const name of ['..', '.', '', 'a/../b', '../../secret', 'a//b', '\\..\\x', 'a\0b', 'a\u007fb', '\ud800']) {
    it(`refuses ${JSON.stringify(name)}`, () => {
      assert.throws(() => endpoint('https://ci.test', ['jobs', name]), BadRequest);
    });
  }

  const written: readonly [
    (string | number)[],
    Record<string, string | number | boolean | string[] | undefined>,
    string,
  ][] = [
    [[], {}, 'https://ci.test/api'],
    [['jobs', 7], {}, 'https://ci.test/api/jobs/7'],
    [['a/b c?d#e'], {}, 'https://ci.test/api/a%2Fb%20c%3Fd%23e'],
    [['%2e%2e'], {}, 'https://ci.test/api/%252e%252e'],
    [
      ['runs'],
      { branch: 'a&b=c', page: 2, all: false, tag: undefined },
      'https://ci.test/api/runs?branch=a%26b%3Dc&page=2&all=false',
    ],
    [['runs'], { ref: ['x', 'y'] }, 'https://ci.test/api/runs?ref=x&ref=y'],
  ];
  for (const [path, query, address] of written) {
    it(`writes ${address}`, () => assert.equal(endpoint('https://ci.test/api', path, query).href, address));
  }

  it('gives back every value of a query string as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        assert.equal(endpoint('https://ci.test', ['x'], { value }).searchParams.get('value'), value);
      }),
    );
  });
});

describe('splitName', () => {
  it('gives the parts of a name', () => assert.deepEqual(splitName('acme/web', 'owner/repository'), ['acme', 'web']));
  it('takes as many parts as it is told', () => assert.deepEqual(splitName('a/b/c', 'path', 9, 1), ['a', 'b', 'c']));

  for (const name of ['acme', 'a/b/c', '', '/', 'acme/', '/web', '../web', 'acme/..']) {
    it(`refuses ${JSON.stringify(name)} as owner/repository`, () => {
      assert.throws(() => splitName(name, 'owner/repository'), BadRequest);
    });
  }

  it('says which form was wanted', () => {
    assert.throws(
      () => splitName('acme', 'owner/repository'),
      /`acme` was not understood: `owner\/repository` was wanted/,
    );
  });
});

describe('checkSegment', () => {
  it('gives the name back', () => assert.equal(checkSegment('a.b/..c'), 'a.b/..c'));
});

describe('pageUrl', () => {
  for (const address of ['https://ci.test/1', 'http://10.0.0.1:8080/x?y#z']) {
    it(`takes ${address}`, () => assert.equal(pageUrl(address), address));
  }
  for (const text of [
    'javascript:alert(1)',
    'data:text/html,x',
    'ftp://x/y',
    '/builds/1',
    'ci.test',
    '',
    null,
    undefined,
  ]) {
    it(`does not take ${text}`, () => assert.equal(pageUrl(text), undefined));
  }
});

function addressOf(root: string, names: readonly string[]): URL | undefined {
  try {
    return endpoint(root, names);
  } catch (error) {
    assert.ok(error instanceof BadRequest, String(error));
    return undefined;
  }
}
