import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Presentation, parsePresentation } from '../../lib/badges/index.ts';
import type { Argument } from '../../lib/builds/index.ts';
import { anyText } from '../texts.ts';

const read = (query: string) => parsePresentation([...new URLSearchParams(query)]);

describe('parsePresentation', () => {
  const rows: readonly [string, Presentation][] = [
    ['', {}],
    ['key=K&$ApplicationName=x&nonsense=1', {}],
    ['style=flat-square', { style: 'flat-square' }],
    ['style=for-the-badge', { style: 'for-the-badge' }],
    ['style=popout', { style: 'flat' }],
    ['style=popout-square', { style: 'flat-square' }],
    ['style=constructor', {}],
    ['style=neon', {}],
    ['label=tests', { label: 'tests' }],
    ['label=', { label: '' }],
    ['color=red&labelColor=blue', { color: 'red', labelColor: 'blue' }],
    ['colorB=red&colorA=blue&maxAge=60', { color: 'red', labelColor: 'blue', cacheSeconds: 60 }],
    ['colorB=red&color=blue', { color: 'blue' }],
    ['label=a&label=b', { label: 'a' }],
    ['logo=jenkins&logoColor=white', { logo: 'jenkins', logoColor: 'white' }],
    ['message=status', { message: 'status' }],
    ['message=build', { message: 'build' }],
    ['message=hello', {}],
    ['palette=buildmaster', { palette: 'buildmaster' }],
    ['palette=toString', {}],
    ['cacheSeconds=120', { cacheSeconds: 120 }],
    ['cacheSeconds=999999999', { cacheSeconds: 86_400 }],
    ['cacheSeconds=-1', {}],
    ['cacheSeconds=1e3', {}],
    ['cacheSeconds=', {}],
    ['format=json', { format: 'json' }],
    ['format=exe', {}],
    ['link=https://a.test/', { links: ['https://a.test/'] }],
    ['link=https://a.test/&link=http://b.test', { links: ['https://a.test/', 'http://b.test'] }],
    ['link=https://a&link=https://b&link=https://c', { links: ['https://a', 'https://b'] }],
    ['link=javascript:alert(1)', {}],
    ['link=JavaScript:alert(1)&link=https://a.test', { links: ['https://a.test'] }],
    ['link=data:text/html,x&link=vbscript:x&link=file:///etc/passwd', {}],
    ['link=/relative&link=', {}],
    [`link=https://a.test/${'x'.repeat(2_048)}`, {}],
  ];
  for (const [query, presentation] of rows) {
    it(`reads ${query.slice(0, 70) || 'nothing'}`, () => assert.deepEqual(read(query), presentation));
  }

  it('reads whatever is sent, and links only to http(s)', () => {
    const names = ['style', 'label', 'link', 'color', 'logo', 'cacheSeconds', 'message', 'palette', '__proto__'];
    const argument = fc.tuple(fc.constantFrom(...names), anyText());
    fc.assert(
      fc.property(fc.array(argument), (args: Argument[]) => {
        for (const link of parsePresentation(args).links ?? []) assert.match(link.trim(), /^https?:/i);
      }),
    );
  });
});
