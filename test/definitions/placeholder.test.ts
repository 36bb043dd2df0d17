import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  hasPlaceholder,
  PLACEHOLDERS,
  type PlaceholderValues,
  refusalOf,
  renderUrl,
} from '../../lib/definitions/index.ts';

/** What no value may bring into a URL unencoded: the sort of text that turns one parameter into two. */
const DANGEROUS = ['&', '=', '#', '?', '+', '%', ' ', '"', "'", '<', '>', '\\', '{', '}', '\n', '\0', '‮', 'ä', '😀'];
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...DANGEROUS, '/', '.', ':', '@', 'a', '%{project_id}') }),
);

describe('renderUrl', () => {
  for (const name of PLACEHOLDERS) {
    it(`replaces %{${name}} in path, query and fragment`, () => {
      const url = `https://ci.test/%{${name}}/x?a=%{${name}}&b=%{${name}}#%{${name}}`;
      assert.equal(renderUrl(url, { [name]: 'v-1' }), 'https://ci.test/v-1/x?a=v-1&b=v-1#v-1');
    });
  }

  it('knows eleven placeholders', () => {
    assert.equal(PLACEHOLDERS.length, 11);
    const url = PLACEHOLDERS.map((name) => `%{${name}}`).join('/');
    assert.equal(renderUrl(url, Object.fromEntries(PLACEHOLDERS.map((name) => [name, name]))), PLACEHOLDERS.join('/'));
  });

  const left: readonly (readonly [why: string, url: string])[] = [
    ['an unknown name', 'https://ci.test/%{unknown}'],
    ['a name of every object', 'https://ci.test/%{constructor}/%{toString}/%{__proto__}'],
    ['another case', 'https://ci.test/%{Project_Path}'],
    ['blanks inside', 'https://ci.test/%{ project_path }'],
    ['no end', 'https://ci.test/%{project_path'],
    ['other brackets', 'https://ci.test/%(project_path)/{project_path}/$(project_path)'],
    ['an encoded spelling', 'https://ci.test/%%7Bproject_path%7D'],
    ['a wholly encoded spelling', 'https://ci.test/%25%7Bproject_path%7D'],
    ['nothing', 'https://ci.test/a%20b?c=%25#d'],
  ];
  for (const [why, url] of left) {
    it(`leaves a URL with ${why} as it is written`, () => {
      assert.equal(renderUrl(url, { project_path: 'acme/web' }), url);
    });
  }

  it('leaves a placeholder without a value as it is written', () => {
    assert.equal(renderUrl('%{latest_tag}/%{project_id}', { project_id: '7' }), '%{latest_tag}/7');
  });

  it('does not read a value again', () => {
    const values = { project_title: '%{project_id}', project_id: '7' };
    assert.equal(renderUrl('https://ci.test/%{project_title}', values), 'https://ci.test/%25%7Bproject_id%7D');
  });

  const encoded: readonly (readonly [value: string, rendered: string])[] = [
    ['acme/web', 'acme/web'],
    ['feature/x-1_2.3~4', 'feature/x-1_2.3~4'],
    ['My Project', 'My%20Project'],
    ['a&b=c', 'a%26b%3Dc'],
    ['a#b?c', 'a%23b%3Fc'],
    ['a+b%c', 'a%2Bb%25c'],
    ["it's (5*)!", 'it%27s%20%285%2A%29%21'],
    ['"<>\\^`|', '%22%3C%3E%5C%5E%60%7C'],
    ['Überblick', '%C3%9Cberblick'],
    ['\ud800', '%EF%BF%BD'],
    ['', ''],
  ];
  for (const [value, rendered] of encoded) {
    it(`writes the value ${JSON.stringify(value)} as ${JSON.stringify(rendered)}`, () => {
      assert.equal(
        renderUrl('https://ci.test/%{project_title}', { project_title: value }),
        `https://ci.test/${rendered}`,
      );
    });
  }

  it('keeps origin, parameters and the lack of a fragment, whatever the values are', () => {
    const values = fc.record(Object.fromEntries(PLACEHOLDERS.map((name) => [name, text])), { requiredKeys: [] });
    const url =
      'https://ci.test:8443/b/%{project_path}/%{default_branch}.svg?p=%{project_title}&ref=%{default_branch}&%{latest_tag}=1';
    fc.assert(
      fc.property(values, (given: PlaceholderValues) => {
        const rendered = new URL(renderUrl(url, given));
        assert.equal(rendered.origin, 'https://ci.test:8443');
        assert.equal(rendered.username, '');
        assert.equal([...rendered.searchParams].length, 3);
        assert.equal(rendered.hash, '');
      }),
    );
  });

  it('gives the reader of a parameter the very value', () => {
    fc.assert(
      fc.property(text, (project_title) => {
        const rendered = renderUrl('https://ci.test/?a=1&p=%{project_title}&z=2', { project_title });
        assert.equal(new URL(rendered).searchParams.get('p'), project_title.toWellFormed());
      }),
    );
  });

  it('keeps the origin of every URL that is taken', () => {
    const part = fc.constantFrom(...DANGEROUS, '%{project_title}', '/', '//', ':', '@', 'ci.test', '8080', '[', ']');
    const urls = fc
      .tuple(fc.constantFrom('http:', 'https:'), fc.array(part))
      .map(([scheme, parts]) => scheme + parts.join(''));
    fc.assert(
      fc.property(urls, text, (url, project_title) => {
        const plain = renderUrl(url, { project_title: 'x' });
        if (refusalOf(url) !== undefined || !URL.canParse(plain)) return;
        assert.equal(new URL(renderUrl(url, { project_title })).origin, new URL(plain).origin);
      }),
      { numRuns: 2_000 },
    );
  });

  it('touches nothing but placeholders', () => {
    fc.assert(
      fc.property(text, (url) => {
        assert.equal(renderUrl(url, {}), url);
        assert.equal(renderUrl(`${url}|%{commit_sha}|`, { commit_sha: 'abc' }).endsWith('|abc|'), true);
      }),
    );
  });
});

describe('hasPlaceholder', () => {
  it('finds a placeholder in any of the URLs', () => {
    const urls = ['https://ci.test/%{project_id}/%{commit_sha}', 'https://ci.test/%{project_id}?%{x}'];
    assert.deepEqual(
      (['project_id', 'commit_sha', 'latest_tag'] as const).map((name) => hasPlaceholder(urls, name)),
      [true, true, false],
    );
    assert.equal(hasPlaceholder(['https://ci.test/project_id'], 'project_id'), false);
    assert.equal(hasPlaceholder([], 'project_id'), false);
  });
});
