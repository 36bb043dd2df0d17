import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BadRequest, fillTemplate, type ProviderQuery, pathTemplate } from '../../lib/providers/index.ts';

const ROOT = 'https://ci.test/api';
const web: ProviderQuery = { application: 'acme/web' };

describe('pathTemplate', () => {
  for (const text of ['', 'jobs', 'jobs/{application}', '{+application}/{branch}?ref={+commit}&n={build}']) {
    it(`takes ${JSON.stringify(text)}`, () => assert.equal(pathTemplate().parse(text), text));
  }
  for (const text of ['{app}', '{application', 'x}', '{constructor}', '{{application}}', 'x#y', '{ application }']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(pathTemplate().safeParse(text).success, false));
  }
});

describe('fillTemplate', () => {
  const rows: readonly [string, ProviderQuery, string][] = [
    ['status', web, 'https://ci.test/api/status'],
    ['/jobs/', web, 'https://ci.test/api/jobs'],
    ['jobs/{application}', web, 'https://ci.test/api/jobs/acme%2Fweb'],
    ['jobs/{+application}', web, 'https://ci.test/api/jobs/acme/web'],
    ['jobs/job-{application}.json', { application: 'a b' }, 'https://ci.test/api/jobs/job-a%20b.json'],
    ['{application}/{branch}', { ...web, release: 'main' }, 'https://ci.test/api/acme%2Fweb/main'],
    ['{application}/{branch}', { ...web, branch: 'x', release: 'main' }, 'https://ci.test/api/acme%2Fweb/x'],
    ['runs?a={application}&b={branch}', web, 'https://ci.test/api/runs?a=acme%2Fweb'],
    ['runs?b={+branch}&n={build}', { ...web, branch: 'a/b', build: '7' }, 'https://ci.test/api/runs?b=a%2Fb&n=7'],
    ['runs?q=a{branch}&c={commit}', { ...web, branch: '&c=x' }, 'https://ci.test/api/runs?q=a%26c%3Dx'],
  ];
  for (const [template, query, address] of rows) {
    it(`${template} of ${JSON.stringify(query)} is ${address}`, () => {
      assert.equal(fillTemplate(ROOT, template, query).url.href, address);
    });
  }

  it('tells what the path names, and not what its query does', () => {
    const { named } = fillTemplate(ROOT, '{application}/x?b={branch}', { ...web, branch: 'main' });
    assert.deepEqual(named, { application: 'acme/web' });
  });

  const refused: readonly [string, ProviderQuery, RegExp][] = [
    ['{application}/{build}', web, /asked for one build: name it in the query/],
    ['{application}', { application: '' }, /asked for one application/],
    ['{+application}', { application: '../secret' }, /cannot be part of an address/],
    ['{application}', { application: '..' }, /cannot be part of an address/],
    ['{+application}', { application: '/a' }, /cannot be part of an address/],
  ];
  for (const [template, query, message] of refused) {
    it(`refuses ${JSON.stringify(query)} for ${template}`, () => {
      assert.throws(
        () => fillTemplate(ROOT, template, query),
        (error: unknown) => error instanceof BadRequest && message.test(error.message),
      );
    });
  }

  it('stays below its root, whatever is filled in', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('..', '.', '%2e%2e', '{branch}', '$&', '/', '\\', '?x', '#'));
    const template = fc.constantFrom('jobs/{application}/{branch}', '{+application}/x{branch}', 'a?x={application}');
    fc.assert(
      fc.property(template, text, text, (form, application, branch) => {
        try {
          const { url } = fillTemplate(ROOT, form, { application, branch });
          assert.ok(url.href.startsWith(`${ROOT}/`) && url.hash === '', url.href);
          assert.doesNotMatch(url.pathname, /\/\.{0,2}(\/|$)/);
        } catch (error) {
          assert.ok(error instanceof BadRequest, String(error));
        }
      }),
    );
  });
});
