import assert from 'node:assert/strict';
import fc from 'fast-check';
import { refusalOf } from '../../lib/definitions/index.ts';

const BLANK = 'must be a valid URL';
const SCHEME = 'is blocked: Only allowed schemes are http, https';
const INVALID = 'is blocked: URI is invalid';
const HOST = 'is blocked: Hostname or IP address invalid';

/** GitLab's answers of today, by their reasons; `undefined` for a URL that it takes. */
const table: readonly (readonly [refusal: string | undefined, urls: readonly string[]])[] = [
  [
    undefined,
    [
      'http://example.com/%{project_path}?ref=%{default_branch}',
      'http://example.com/ci_status.svg?project=%{project_path}&ref=%{default_branch}',
      'http://example.com/%{unknown}',
      'https://example.com/%{gitlab_server}/x',
      'https://example.com?x=%{project_id}',
      'https://example.com#%{project_id}',
      'http:///path',
      'http:example.com',
      'http://example.com/a b',
      'http://example.com/ä',
      'http://example.com/?q=ä b',
      'http://münchen.example/',
      'http://localhost:3000/x',
      'http://localhost',
      'http://10.0.0.1/x',
      'http://169.254.169.254/',
      'http://[::1]/x',
      'http://[2001:db8::1]:8080/x',
      'http://user:pass@host/',
      'http://host:/x',
      'http://host:65535/x',
      '  https://example.com/  ',
      '\nhttps://example.com/\t',
      'https://example.com/a%20b',
      "https://example.com/it's",
    ],
  ],
  [BLANK, ['', ' ', '\n\t ']],
  [
    SCHEME,
    [
      'whatever',
      'javascript:alert(1)',
      'ftp://example.com/x',
      '//example.com/x',
      '/x',
      'data:text/html,x',
      'HTTP://example.com/',
      'Https://example.com/',
      'mailto:a@b.example',
      'example.com',
      '%{gitlab_server}/x',
      'httpx://example.com/',
      ' javascript:alert(1)//http://',
    ],
  ],
  [
    INVALID,
    [
      'http://',
      'https://%{gitlab_server}/x',
      'http://%{project_id}.example.com/',
      'http://example.com:%{project_id}/',
      'http://%{project_path}@example.com/',
      'http://user:%{project_path}@example.com/',
      'http:%{project_path}',
      'http:///%{project_path}',
      'http:\\\\%{project_path}',
      'http://example.com%{project_path}',
      'http://example.com:99999/',
      'http://example.com:port/',
      'http://exam ple.com/',
      'http://example.com/a\nb',
      'http://example.com/a\r\nX: y',
      'http://example.com/\0',
      'http://example.com/\u007f',
      'http://example.com\\@evil.example/',
      'http://<script>/',
      'http://example.com/\ud800',
    ],
  ],
  [HOST, ['http://_x.example.com/', 'http://-x.example.com/', 'http://.example.com/', 'http://user@/x', 'http://@/']],
];

describe('refusalOf', () => {
  for (const [refusal, urls] of table) {
    for (const url of urls) {
      it(`${refusal ?? 'takes'}: ${JSON.stringify(url)}`, () => assert.equal(refusalOf(url), refusal));
    }
  }

  it('takes no more than 8192 characters', () => {
    const url = `https://example.com/${'x'.repeat(8_192)}`;
    assert.equal(refusalOf(url.slice(0, 8_192)), undefined);
    assert.equal(refusalOf(url.slice(0, 8_193)), 'is too long (maximum is 8192 characters)');
  });

  it('takes nothing that a browser reads as another scheme', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl()), (text) => {
        if (refusalOf(text) !== undefined || !URL.canParse(text)) return;
        assert.match(new URL(text).protocol, /^https?:$/);
      }),
    );
  });

  it('takes every ordinary address', () => {
    fc.assert(
      fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (url) => {
        assert.equal(refusalOf(url), undefined);
      }),
    );
  });
});
