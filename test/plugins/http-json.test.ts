import assert from 'node:assert/strict';
import { single, subject } from '../../fixtures/http-json/case.ts';
import { BadRequest, fillTemplate } from '../../lib/providers/index.ts';
import { describeProvider } from '../../lib/providers/testing.ts';
import httpJson, { valueAt } from '../../plugins/http-json.ts';

describeProvider(subject);
describeProvider(single);

describe('http-json', () => {
  describe('JSON Pointer', () => {
    // The document and its pointers are those of RFC 6901, section 5.
    const document = JSON.parse(
      String.raw`{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}`,
    );
    for (const [pointer, value] of [
      ['', document],
      ['/foo', ['bar', 'baz']],
      ['/foo/0', 'bar'],
      ['/', 0],
      ['/a~1b', 1],
      ['/c%d', 2],
      ['/e^f', 3],
      ['/g|h', 4],
      ['/i\\j', 5],
      ['/k"l', 6],
      ['/ ', 7],
      ['/m~0n', 8],
    ] as const) {
      it(`finds what is at \`${pointer}\``, () => assert.deepEqual(valueAt(document, pointer), value));
    }

    for (const pointer of [
      '/foo/2',
      '/foo/-',
      '/foo/00',
      '/foo/length',
      '/bar',
      '/constructor',
      '/__proto__',
      '/foo/0/0',
    ]) {
      it(`finds nothing at \`${pointer}\``, () => assert.equal(valueAt(document, pointer), undefined));
    }

    it('reads `~01` as `~1`', () => assert.equal(valueAt({ '~1': 'tilde', '/': 'slash' }, '/~01'), 'tilde'));
    it('finds an own property whatever its name', () =>
      assert.equal(valueAt(JSON.parse('{"__proto__":{"constructor":1}}'), '/__proto__/constructor'), 1));
    for (const text of [null, 'text', 12, true]) {
      it(`finds nothing in ${text}`, () => assert.equal(valueAt(text, '/length'), undefined));
    }
  });

  describe('path', () => {
    const query = { application: 'acme/web', branch: 'feature/a b', build: '7' };
    const fill = (template: string, of: Parameters<typeof fillTemplate>[2] = query) =>
      fillTemplate('https://ci.test/api', template, of).url.href;

    for (const [template, address] of [
      ['', 'https://ci.test/api'],
      ['/builds/', 'https://ci.test/api/builds'],
      ['{application}/{build}', 'https://ci.test/api/acme%2Fweb/7'],
      ['{+application}.json', 'https://ci.test/api/acme/web.json'],
      ['b/{branch}', 'https://ci.test/api/b/feature%2Fa%20b'],
      ['b/{+branch}', 'https://ci.test/api/b/feature/a%20b'],
      ['b?ref=refs/heads/{branch}&x=1', 'https://ci.test/api/b?ref=refs%2Fheads%2Ffeature%2Fa+b&x=1'],
      ['b?ref={+branch}', 'https://ci.test/api/b?ref=feature%2Fa+b'],
      ['b?sha={commit}&n={build}&p={application}', 'https://ci.test/api/b?n=7&p=acme%2Fweb'],
    ] as const) {
      it(`fills \`${template}\``, () => assert.equal(fill(template), address));
    }

    it('takes a placeholder in a name for text', () =>
      assert.equal(fill('{application}', { application: '{+build}' }), 'https://ci.test/api/%7B%2Bbuild%7D'));
    it('knows what its path names, not what its query says', () =>
      assert.deepEqual(fillTemplate('https://ci.test', '{application}?b={branch}', query).named, {
        application: 'acme/web',
      }));
    it('needs what its path names', () => {
      assert.throws(() => fill('{+application}/{commit}'), BadRequest);
      assert.throws(() => fill('{application}', { application: '' }), BadRequest);
    });
    for (const application of ['../secret', 'a/../b', 'a//b', '..', 'a/.']) {
      it(`refuses the application ${application}`, () => {
        assert.throws(() => fill('{+application}', { application }), BadRequest);
        assert.throws(() => fill('{application}', { application }), BadRequest);
      });
    }
  });

  describe('options', () => {
    const accepts = (options: object) => httpJson.options.safeParse({ ...subject.options, ...options }).success;
    it('takes those of the case', () => assert.ok(accepts({})));
    for (const options of [
      { path: 'jobs/{project}' },
      { path: 'jobs/{application' },
      { path: 'jobs#{application}' },
      { status: 'status' },
      { status: '/a~2' },
      { words: { green: 'success' } },
      { header: 'X-Api-Key: ' },
      { url: 'ftp://ci.test' },
    ]) {
      it(`refuses ${JSON.stringify(options)}`, () => assert.equal(accepts(options), false));
    }
  });
});
