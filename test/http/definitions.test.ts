import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineProvider, type Registry, UpstreamError } from '../../lib/providers/index.ts';
import {
  badgeOf,
  badgesOf,
  describeOnEach,
  expectStatus,
  freshSqlite,
  idOf,
  type Reply,
  type Send,
  startHost,
  type TestHost,
  TOKENS,
} from '../definitions-host.ts';

const URLS = { link_url: 'https://ci.test/%{project_path}', image_url: 'https://ci.test/%{project_path}.svg' };
const KINDS = ['project', 'group'] as const;

const API = { token: TOKENS.api };
const NOT_FOUND = { message: '404 Not found' };
const UNAUTHORIZED = { message: '401 Unauthorized' };
const FORBIDDEN = { message: '403 Forbidden' };
const SCHEME = 'is blocked: Only allowed schemes are http, https';
const INVALID = 'is blocked: URI is invalid';

/** Names that no other test has. */
let made = 0;
const fresh = (word: string) => {
  made += 1;
  return `${word}${made}`;
};

/** Asks a host, and is satisfied with success only. */
function makerOf(host: () => TestHost) {
  const make = async (path: string, form: Record<string, string>) =>
    idOf(expectStatus(await host().send('POST', path, { ...API, form }), 201));
  return {
    group: (more: Record<string, string> = {}) => {
      const path = fresh('group');
      return make('/groups', { name: path, path, visibility: 'public', ...more });
    },
    project: (more: Record<string, string> = {}) =>
      make('/projects', { name: fresh('project'), visibility: 'public', ...more }),
    badge: (place: string, more: Record<string, string> = {}) => make(`${place}/badges`, { ...URLS, ...more }),
  };
}

function assertAnswer(reply: Reply, status: number, body: unknown): void {
  assert.deepEqual([reply.status, reply.json], [status, body]);
  assert.equal(reply.headers['content-type'], 'application/json');
}

describeOnEach("GitLab's badges API", (freshDatabase) => {
  let host: TestHost;
  const { group, project, badge } = makerOf(() => host);
  const send = (method: string, path: string, more?: Send) => host.send(method, path, more);
  const get = (path: string, more?: Send) => host.get(path, more);
  before(async () => {
    host = await startHost(await freshDatabase());
  });
  after(() => host.close());

  /** A project or a group, and a badge of it. */
  async function subjectOf(kind: (typeof KINDS)[number]) {
    const place = kind === 'project' ? `/projects/${await project()}` : `/groups/${await group()}`;
    return { place, badges: `${place}/badges`, id: await badge(place) };
  }

  for (const kind of KINDS) {
    describe(`of a ${kind}`, () => {
      it('adds, gives, lists, edits and removes', async () => {
        const { badges } = await subjectOf(kind);
        const added = badgeOf(
          expectStatus(await send('POST', badges, { ...API, form: { ...URLS, name: 'Coverage' } }), 201),
        );
        const { id, rendered_image_url: _image, rendered_link_url: _link, ...rest } = added;
        assert.deepEqual(rest, { name: 'Coverage', ...URLS, kind });
        assertAnswer(await get(`${badges}/${id}`), 200, added);
        assert.deepEqual(badgesOf(await get(badges)).at(-1), added);

        const change = { image_url: 'https://ci.test/new.svg' };
        const edited = { ...added, ...change, rendered_image_url: change.image_url };
        assertAnswer(await send('PUT', `${badges}/${id}`, { ...API, form: change }), 200, edited);
        assertAnswer(await get(`${badges}/${id}`), 200, edited);

        const removed = await send('DELETE', `${badges}/${id}`, API);
        assert.deepEqual([removed.status, removed.text, removed.headers['content-type']], [204, '', undefined]);
        assertAnswer(await get(`${badges}/${id}`), 404, NOT_FOUND);
        assertAnswer(await send('DELETE', `${badges}/${id}`, API), 404, NOT_FOUND);
      });

      it('gives null for a name that was not given', async () => {
        const { badges, id } = await subjectOf(kind);
        assert.equal(badgeOf(await get(`${badges}/${id}`)).name, null);
      });

      it('renders without storing', async () => {
        const { badges } = await subjectOf(kind);
        const query = new URLSearchParams({ link_url: 'https://ci.test/?a=%{x}', image_url: 'https://ci.test/b.svg' });
        const reply = await get(`${badges}/render?${query}&name=ignored`, API);
        assertAnswer(reply, 200, {
          name: null,
          link_url: 'https://ci.test/?a=%{x}',
          image_url: 'https://ci.test/b.svg',
          rendered_link_url: 'https://ci.test/?a=%{x}',
          rendered_image_url: 'https://ci.test/b.svg',
        });
        assert.equal(badgesOf(await get(badges)).length, 1);
      });

      it('takes parameters from query, form and JSON, and a mixture', async () => {
        const { badges, id } = await subjectOf(kind);
        const given = { ...URLS, name: 'n&=ä' };
        const query = `?${new URLSearchParams(given)}`;
        const { link_url, ...rest } = given;
        for (const [path, more] of [
          [query, {}],
          ['', { form: given }],
          ['', { json: given }],
          [`?${new URLSearchParams({ link_url })}`, { json: rest }],
        ] as const) {
          const added = badgeOf(expectStatus(await send('POST', `${badges}${path}`, { ...API, ...more }), 201));
          assert.deepEqual([added.name, added.link_url, added.image_url], ['n&=ä', URLS.link_url, URLS.image_url]);
        }
        for (const [path, more] of [
          ['?name=q', {}],
          ['', { form: { name: 'f' } }],
          ['', { json: { name: 'j' } }],
        ] as const) {
          const edited = badgeOf(expectStatus(await send('PUT', `${badges}/${id}${path}`, { ...API, ...more }), 200));
          assert.equal(edited.name, path ? 'q' : 'form' in more ? 'f' : 'j');
        }
      });

      it('ignores parameters that it does not know', async () => {
        const { badges, id } = await subjectOf(kind);
        const strange = { position: '0', id: '999999', kind: 'x', project_id: '1', created_at: '0' };
        const added = badgeOf(expectStatus(await send('POST', badges, { ...API, form: { ...URLS, ...strange } }), 201));
        assert.equal(added.kind, kind);
        assert.ok(added.id !== 999_999);
        const before = badgeOf(await get(`${badges}/${id}`));
        assertAnswer(await send('PUT', `${badges}/${id}`, { ...API, form: strange }), 200, before);
      });

      it('lists its own badges in the order in which they were added; editing moves none', async () => {
        const { place, badges, id } = await subjectOf(kind);
        const ids = [id, await badge(place), await badge(place)];
        await send('PUT', `${badges}/${id}`, { ...API, form: { name: 'edited' } });
        assert.deepEqual(
          badgesOf(await get(badges)).map((each) => each.id),
          ids,
        );
      });

      it('knows no badge of another owner', async () => {
        const { badges, id } = await subjectOf(kind);
        const other = await subjectOf(kind === 'project' ? 'group' : 'project');
        const sibling = await subjectOf(kind);
        for (const strange of [other.id, sibling.id]) {
          assertAnswer(await get(`${badges}/${strange}`), 404, NOT_FOUND);
          assertAnswer(await send('PUT', `${badges}/${strange}`, { ...API, form: { name: 'x' } }), 404, NOT_FOUND);
          assertAnswer(await send('DELETE', `${badges}/${strange}`, API), 404, NOT_FOUND);
        }
        assert.equal(badgeOf(await get(`${sibling.badges}/${sibling.id}`)).name, null);
        assert.equal(badgeOf(await get(`${badges}/${id}`)).id, id);
      });

      it('edits what is sent, and nothing else', async () => {
        const { badges, id } = await subjectOf(kind);
        const edit = async (more: Send) => send('PUT', `${badges}/${id}`, { ...API, ...more });
        const named = { ...badgeOf(await get(`${badges}/${id}`)), name: 'n' };
        assertAnswer(await edit({ json: { name: 'n' } }), 200, named);
        assertAnswer(await edit({}), 200, named);
        assertAnswer(await edit({ json: {} }), 200, named);
        assertAnswer(await edit({ json: { name: null } }), 200, { ...named, name: null });
        assertAnswer(await edit({ json: { name: '' } }), 200, { ...named, name: '' });
        assertAnswer(await edit({ json: { link_url: null, name: 'x' } }), 400, {
          message: { link_url: ['must be a valid URL'] },
        });
        assertAnswer(await edit({ json: { link_url: 'https://ci.test/ok', image_url: 'ftp://x', name: 'x' } }), 400, {
          message: { image_url: [SCHEME] },
        });
        assertAnswer(await get(`${badges}/${id}`), 200, { ...named, name: '' });
      });

      it('stores URLs without the blanks around them', async () => {
        const { badges } = await subjectOf(kind);
        const added = badgeOf(
          await send('POST', badges, {
            ...API,
            json: { link_url: '  https://ci.test/l ', image_url: 'https://ci.test/i\n' },
          }),
        );
        assert.deepEqual([added.link_url, added.image_url], ['https://ci.test/l', 'https://ci.test/i']);
      });

      it('honours If-Unmodified-Since', async () => {
        const { badges, id } = await subjectOf(kind);
        const remove = (since: string) =>
          send('DELETE', `${badges}/${id}`, { ...API, headers: { 'if-unmodified-since': since } });
        const failed = { message: '412 Precondition Failed' };
        assertAnswer(await remove('Mon, 01 Jan 1990 00:00:00 GMT'), 412, failed);
        assertAnswer(await remove(new Date(Date.now() - 60_000).toUTCString()), 412, failed);
        assert.equal((await get(`${badges}/${id}`)).status, 200);
        assert.equal((await remove(new Date().toUTCString())).status, 204);
        const next = await subjectOf(kind);
        const garbage = { ...API, headers: { 'if-unmodified-since': 'one fine day' } };
        assert.equal((await send('DELETE', `${next.badges}/${next.id}`, garbage)).status, 204);
      });

      it('counts an edit as a modification', async () => {
        const { badges, id } = await subjectOf(kind);
        await host.database.updateTable('badges').set({ created_at: 0, updated_at: 0 }).where('id', '=', id).execute();
        await send('PUT', `${badges}/${id}`, { ...API, form: { name: 'edited' } });
        const since = { 'if-unmodified-since': new Date(60_000).toUTCString() };
        assert.equal((await send('DELETE', `${badges}/${id}`, { ...API, headers: since })).status, 412);
      });

      const wrong: readonly (readonly [link: unknown, image: unknown, body: unknown])[] = [
        [undefined, undefined, { error: 'link_url is missing, image_url is missing' }],
        [undefined, 'https://ci.test/', { error: 'link_url is missing' }],
        ['https://ci.test/', undefined, { error: 'image_url is missing' }],
        ['', 'https://ci.test/', { message: { link_url: ['must be a valid URL'] } }],
        [' ', 'https://ci.test/', { message: { link_url: ['must be a valid URL'] } }],
        [null, 'https://ci.test/', { message: { link_url: ['must be a valid URL'] } }],
        ['whatever', 'ftp://ci.test/', { message: { link_url: [SCHEME], image_url: [SCHEME] } }],
        ['javascript:alert(1)', 'https://ci.test/', { message: { link_url: [SCHEME] } }],
        ['https://ci.test/', 'https://%{gitlab_server}/', { message: { image_url: [INVALID] } }],
        ['http://%{project_id}.ci.test/', 'https://ci.test/', { message: { link_url: [INVALID] } }],
        [
          'http://-x.ci.test/',
          'https://ci.test/',
          { message: { link_url: ['is blocked: Hostname or IP address invalid'] } },
        ],
        ['http://', 'https://ci.test/\0', { message: { link_url: [INVALID] } }],
        [
          `https://ci.test/${'x'.repeat(10_240)}`,
          'https://ci.test/',
          { message: { link_url: ['is too long (maximum is 8192 characters)'] } },
        ],
        [7, true, { message: { link_url: [SCHEME], image_url: [SCHEME] } }],
        [['https://ci.test/'], 'https://ci.test/', { error: 'link_url is invalid' }],
        ['https://ci.test/', { a: 1 }, { error: 'image_url is invalid' }],
      ];
      for (const [link_url, image_url, body] of wrong) {
        const given = { link_url, image_url };
        it(`refuses ${JSON.stringify(given).slice(0, 100)}`, async () => {
          const { badges, id } = await subjectOf(kind);
          assertAnswer(await send('POST', badges, { ...API, json: given }), 400, body);
          if (link_url !== undefined && image_url !== undefined) {
            const before = badgeOf(await get(`${badges}/${id}`));
            assertAnswer(await send('PUT', `${badges}/${id}`, { ...API, json: { name: 'x', ...given } }), 400, body);
            assertAnswer(await get(`${badges}/${id}`), 200, before);
          }
          if ([link_url, image_url].every((url) => url === undefined || typeof url === 'string')) {
            const texts = Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined);
            assertAnswer(await get(`${badges}/render?${new URLSearchParams(texts)}`, API), 400, body);
          }
          assert.equal(badgesOf(await get(badges)).length, 1);
        });
      }

      it('refuses a name that is too long or none', async () => {
        const { badges } = await subjectOf(kind);
        const add = (name: unknown) => send('POST', badges, { ...API, json: { ...URLS, name } });
        assert.equal((await add('x'.repeat(255))).status, 201);
        assertAnswer(await add('x'.repeat(256)), 400, {
          message: { name: ['is too long (maximum is 255 characters)'] },
        });
        assertAnswer(await add(['x']), 400, { error: 'name is invalid' });
      });

      describe('checks in this order', () => {
        const unknown = { token: 'nobody' };
        const reader = { token: TOKENS.read };
        const limited = { token: TOKENS.acme };
        const missing = { error: 'link_url is missing, image_url is missing' };
        const invalidId = { error: 'badge_id is invalid' };
        const gone = { message: `404 ${kind === 'project' ? 'Project' : 'Group'} Not Found` };
        const nowhere = `/${kind}s/999999999/badges`;
        const bad = new URLSearchParams({ link_url: 'x', image_url: 'x' });
        const good = new URLSearchParams(URLS);

        it('list: parameters, token, owner', async () => {
          assertAnswer(await get(`${nowhere}?per_page=0`), 400, { error: 'per_page has a value not allowed' });
          assertAnswer(await get(nowhere, unknown), 401, UNAUTHORIZED);
          assertAnswer(await get(nowhere), 404, gone);
        });

        it('one: parameters, token, owner, badge', async () => {
          const { badges } = await subjectOf(kind);
          assertAnswer(await get(`${nowhere}/x`), 400, invalidId);
          assertAnswer(await get(`${nowhere}/1`, unknown), 401, UNAUTHORIZED);
          assertAnswer(await get(`${nowhere}/1`), 404, gone);
          assertAnswer(await get(`${badges}/999999999`), 404, NOT_FOUND);
        });

        it('render: presence, user, owner, rights, URLs', async () => {
          const { badges } = await subjectOf(kind);
          assertAnswer(await get(`${nowhere}/render`), 400, missing);
          assertAnswer(await get(`${nowhere}/render`, unknown), 400, missing);
          assertAnswer(await get(`${nowhere}/render?${bad}`), 401, UNAUTHORIZED);
          assertAnswer(await get(`${nowhere}/render?${bad}`, unknown), 401, UNAUTHORIZED);
          assertAnswer(await get(`${nowhere}/render?${bad}`, limited), 404, gone);
          assertAnswer(await get(`${badges}/render?${bad}`, limited), 403, FORBIDDEN);
          assert.equal((await get(`${badges}/render?${bad}`, reader)).status, 400);
          assert.equal((await get(`${badges}/render?${good}`, reader)).status, 200);
        });

        it('add: user, presence, owner, rights, URLs', async () => {
          const { badges } = await subjectOf(kind);
          assertAnswer(await send('POST', nowhere), 401, UNAUTHORIZED);
          assertAnswer(await send('POST', nowhere, unknown), 401, UNAUTHORIZED);
          assertAnswer(await send('POST', nowhere, limited), 400, missing);
          assertAnswer(await send('POST', `${nowhere}?${bad}`, limited), 404, gone);
          assertAnswer(await send('POST', `${badges}?${bad}`, limited), 403, FORBIDDEN);
          assert.equal((await send('POST', `${badges}?${bad}`, API)).status, 400);
        });

        it('edit: user, owner, rights, badge, URLs', async () => {
          const { badges, id } = await subjectOf(kind);
          assertAnswer(await send('PUT', `${nowhere}/x?${bad}`), 401, UNAUTHORIZED);
          assertAnswer(await send('PUT', `${nowhere}/x?${bad}`, API), 404, gone);
          assertAnswer(await send('PUT', `${badges}/x?${bad}`, limited), 403, FORBIDDEN);
          assertAnswer(await send('PUT', `${badges}/x?${bad}`, API), 404, NOT_FOUND);
          assertAnswer(await send('PUT', `${badges}/999999999?${bad}`, API), 404, NOT_FOUND);
          assert.equal((await send('PUT', `${badges}/${id}?${bad}`, API)).status, 400);
        });

        it('remove: user, parameters, owner, rights, badge, precondition', async () => {
          const { badges, id } = await subjectOf(kind);
          const headers = { 'if-unmodified-since': 'Mon, 01 Jan 1990 00:00:00 GMT' };
          assertAnswer(await send('DELETE', `${nowhere}/x`), 401, UNAUTHORIZED);
          assertAnswer(await send('DELETE', `${nowhere}/x`, API), 400, invalidId);
          assertAnswer(await send('DELETE', `${nowhere}/1`, API), 404, gone);
          assertAnswer(await send('DELETE', `${badges}/999999999`, limited), 403, FORBIDDEN);
          assertAnswer(await send('DELETE', `${badges}/999999999`, { ...API, headers }), 404, NOT_FOUND);
          assert.equal((await send('DELETE', `${badges}/${id}`, { ...API, headers })).status, 412);
        });
      });

      it('answers 405 to other methods', async () => {
        const { badges, id } = await subjectOf(kind);
        for (const [method, path, allow] of [
          ['PUT', badges, 'GET, HEAD, POST, OPTIONS'],
          ['DELETE', badges, 'GET, HEAD, POST, OPTIONS'],
          ['POST', `${badges}/${id}`, 'GET, HEAD, PUT, DELETE, OPTIONS'],
          ['PATCH', `${badges}/${id}`, 'GET, HEAD, PUT, DELETE, OPTIONS'],
          ['POST', `${badges}/render`, 'GET, HEAD, OPTIONS'],
        ] as const) {
          const reply = await send(method, path, API);
          assertAnswer(reply, 405, { error: '405 Not Allowed' });
          assert.equal(reply.headers.allow, allow);
        }
      });

      it('answers HEAD as GET, without the body', async () => {
        const { badges, id } = await subjectOf(kind);
        for (const path of [badges, `${badges}/${id}`]) {
          const reply = await send('HEAD', path);
          assert.deepEqual([reply.status, reply.text], [200, '']);
          assert.equal(reply.headers['content-type'], 'application/json');
        }
      });

      it('sends safe headers with every answer', async () => {
        const { badges, id } = await subjectOf(kind);
        for (const reply of [
          await get(badges),
          await get(`${badges}/x`),
          await send('DELETE', `${badges}/${id}`, API),
        ]) {
          assert.equal(reply.headers['x-frame-options'], 'SAMEORIGIN');
          assert.equal(reply.headers['x-content-type-options'], 'nosniff');
        }
      });
    });
  }

  describe("a project's list", () => {
    /** A project in two groups, one in the other, and the ids of a badge of each, oldest first. */
    async function family() {
      const outer = await group();
      const inner = await group({ parent_id: String(outer) });
      const id = await project({ namespace_id: String(inner) });
      const places = [`/groups/${inner}`, `/projects/${id}`, `/groups/${outer}`] as const;
      const ids: number[] = [];
      for (const place of places) ids.push(await badge(place));
      return { outer, inner, id, ids, badges: `/projects/${id}/badges` };
    }

    it('has the badges of all groups above, in the order in which they were added', async () => {
      const { badges, ids, inner, outer } = await family();
      const listed = badgesOf(await get(badges));
      assert.deepEqual(
        listed.map(({ id, kind }) => [id, kind]),
        [
          [ids[0], 'group'],
          [ids[1], 'project'],
          [ids[2], 'group'],
        ],
      );
      const own = async (id: number) => badgesOf(await get(`/groups/${id}/badges`)).map((each) => each.id);
      assert.deepEqual(await own(inner), [ids[0]]);
      assert.deepEqual(await own(outer), [ids[2]]);
    });

    it('renders inherited badges for the project of the route', async () => {
      const { badges, id } = await family();
      const path = z.object({ path_with_namespace: z.string() }).parse((await get(`/projects/${id}`)).json);
      for (const each of badgesOf(await get(badges))) {
        assert.equal(each.rendered_image_url, `https://ci.test/${path.path_with_namespace}.svg`);
        assert.equal(each.image_url, URLS.image_url);
      }
    });

    it('gives no inherited badge on its own, nor lets it be changed', async () => {
      const { badges, ids, inner } = await family();
      const [inherited = 0] = ids;
      assertAnswer(await get(`${badges}/${inherited}`), 404, NOT_FOUND);
      assertAnswer(await send('PUT', `${badges}/${inherited}`, { ...API, form: { name: 'x' } }), 404, NOT_FOUND);
      assertAnswer(await send('DELETE', `${badges}/${inherited}`, API), 404, NOT_FOUND);
      assert.equal(badgeOf(await get(`/groups/${inner}/badges/${inherited}`)).name, null);
    });

    it('is filtered by exact name, inherited badges too', async () => {
      const { badges, id, outer } = await family();
      await badge(`/projects/${id}`, { name: 'Coverage' });
      await badge(`/groups/${outer}`, { name: 'Coverage' });
      await badge(`/projects/${id}`, { name: 'coverage' });
      await badge(`/projects/${id}`, { name: '' });
      const named = async (name: string) =>
        badgesOf(await get(`${badges}?name=${name}`)).map(({ name, kind }) => [name, kind]);
      assert.deepEqual(await named('Coverage'), [
        ['Coverage', 'project'],
        ['Coverage', 'group'],
      ]);
      assert.deepEqual(await named('coverage'), [['coverage', 'project']]);
      assert.deepEqual(await named('Cover'), []);
      assert.deepEqual(await named(''), [['', 'project']]);
      assert.equal((await get(`${badges}?name=Coverage`)).headers['x-total'], '2');
    });

    it('has its own badges alone where the project is in no group', async () => {
      const { badges, id } = await subjectOf('project');
      assert.deepEqual(
        badgesOf(await get(badges)).map((each) => each.id),
        [id],
      );
    });

    it('has the badges of a group that is hidden from the reader', async () => {
      const hidden = await group({ visibility: 'private' });
      const id = await project({ namespace_id: String(hidden) });
      await badge(`/groups/${hidden}`);
      assert.equal(badgesOf(await get(`/projects/${id}/badges`)).length, 1);
      assert.equal((await get(`/groups/${hidden}/badges`)).status, 404);
    });
  });

  describe('pages', () => {
    let badges: string;
    let id: number;
    let ids: number[];
    before(async () => {
      id = await project();
      badges = `/projects/${id}/badges`;
      ids = [];
      for (let count = 0; count < 25; count += 1) ids.push(await badge(`/projects/${id}`, { name: 'n 1' }));
    });

    const headersOf = ({ headers }: Reply) =>
      ['per-page', 'page', 'next-page', 'prev-page', 'total', 'total-pages'].map((name) => headers[`x-${name}`]);
    const linksOf = ({ headers }: Reply) =>
      [...`${headers.link}`.matchAll(/<([^>]*)>; rel="(\w+)"/g)].map(([, url, rel]) => [rel, url]);

    it('hold twenty unless told otherwise', async () => {
      const reply = await get(badges);
      assert.deepEqual(
        badgesOf(reply).map((each) => each.id),
        ids.slice(0, 20),
      );
      assert.deepEqual(headersOf(reply), ['20', '1', '2', '', '25', '2']);
    });

    it('go on where the last one ended', async () => {
      const reply = await get(`${badges}?per_page=10&page=3`);
      assert.deepEqual(
        badgesOf(reply).map((each) => each.id),
        ids.slice(20),
      );
      assert.deepEqual(headersOf(reply), ['10', '3', '', '2', '25', '3']);
    });

    it('link to each other with all parameters, sorted, and without the token', async () => {
      const reply = await get(`${badges}?per_page=10&page=2&name=n%201&private_token=${TOKENS.read}`);
      const link = (page: number) => `${host.origin}/api/v4${badges}?id=${id}&name=n+1&page=${page}&per_page=10`;
      assert.deepEqual(linksOf(reply), [
        ['prev', link(1)],
        ['next', link(3)],
        ['first', link(1)],
        ['last', link(3)],
      ]);
      assert.equal(`${reply.headers.link}`.split(', ').length, 4);
    });

    it('link to the first and the last where there is one only', async () => {
      const reply = await get(`${badges}?per_page=100`);
      assert.deepEqual(
        linksOf(reply).map(([rel]) => rel),
        ['first', 'last'],
      );
    });

    it('lead through the whole list by their links', async () => {
      const seen: number[] = [];
      let next: string | undefined = `${badges}?per_page=7`;
      while (next !== undefined) {
        const reply: Reply = await get(next);
        seen.push(...badgesOf(reply).map((each) => each.id));
        const url = linksOf(reply).find(([rel]) => rel === 'next')?.[1];
        next = url?.slice(host.origin.length);
      }
      assert.deepEqual(seen, ids);
    });

    it('keep an encoded path encoded', async () => {
      const { path_with_namespace } = z
        .object({ path_with_namespace: z.string() })
        .parse((await get(`/projects/${id}`)).json);
      const encoded = encodeURIComponent(path_with_namespace);
      const [[, url] = []] = linksOf(await get(`/projects/${encoded}/badges`));
      assert.equal(url, `${host.origin}/api/v4/projects/${encoded}/badges?id=${encoded}&page=2&per_page=20`);
    });

    it('past the end are empty', async () => {
      const reply = await get(`${badges}?page=9`);
      assertAnswer(reply, 200, []);
      assert.deepEqual(headersOf(reply), ['20', '9', '', '8', '25', '2']);
    });

    it('are one for an empty list', async () => {
      const reply = await get(`/projects/${await project()}/badges`);
      assertAnswer(reply, 200, []);
      assert.deepEqual(headersOf(reply), ['20', '1', '', '', '0', '1']);
    });

    const odd: readonly (readonly [query: string, perPage: string, page: string])[] = [
      ['per_page=1000', '100', '1'],
      ['page=0', '20', '1'],
      ['page=-3', '20', '1'],
      ['per_page=', '20', '1'],
      ['per_page=-1', '20', '1'],
      ['per_page=2&per_page=3', '3', '1'],
    ];
    for (const [query, perPage, page] of odd) {
      it(`take ?${query} as ${perPage} on page ${page}`, async () => {
        const reply = await get(`${badges}?${query}`);
        assert.equal(reply.status, 200);
        assert.deepEqual(headersOf(reply).slice(0, 2), [perPage, page]);
      });
    }

    const refused: readonly (readonly [query: string, error: string])[] = [
      ['per_page=0', 'per_page has a value not allowed'],
      ['per_page=x', 'per_page is invalid'],
      ['per_page=1.5', 'per_page is invalid'],
      ['page=x', 'page is invalid'],
      ['page=99999999999999999999', 'page is invalid'],
      ["page=1'--", 'page is invalid'],
    ];
    for (const [query, error] of refused) {
      it(`refuse ?${query}`, async () => assertAnswer(await get(`${badges}?${query}`), 400, { error }));
    }

    it('are found far beyond the end', async () => assertAnswer(await get(`${badges}?page=999999999`), 200, []));
  });

  describe('placeholders', () => {
    const image = 'https://ci.test/%{project_path}?id=%{project_id}&x=%{unknown}';

    it('stand for the first project of a group by creation, that the caller may see', async () => {
      const id = await group();
      await project({ namespace_id: String(id), path: 'hidden', visibility: 'private' });
      await project({ namespace_id: String(id), path: 'second' });
      await project({ namespace_id: String(id), path: 'third' });
      const badgeId = await badge(`/groups/${id}`, { image_url: 'https://ci.test/%{project_name}' });
      const rendered = async (token?: string) =>
        badgeOf(await get(`/groups/${id}/badges/${badgeId}`, { token })).rendered_image_url;
      assert.equal(await rendered(TOKENS.api), 'https://ci.test/hidden');
      assert.equal(await rendered(), 'https://ci.test/second');
    });

    it('stay where a group has no project', async () => {
      const id = await group();
      const badgeId = await badge(`/groups/${id}`, { image_url: image });
      assert.equal(badgeOf(await get(`/groups/${id}/badges/${badgeId}`)).rendered_image_url, image);
      const query = new URLSearchParams({ link_url: image, image_url: image });
      const { rendered_link_url } = z
        .object({ rendered_link_url: z.string() })
        .parse((await get(`/groups/${id}/badges/render?${query}`, API)).json);
      assert.equal(rendered_link_url, image);
    });

    it('are all replaced, by values that are safe in a URL', async () => {
      const groupPath = fresh('group');
      const id = await group({ path: groupPath, name: 'The Group' });
      const projectId = await project({
        namespace_id: String(id),
        name: 'A & B?',
        path: 'ab',
        default_branch: 'feature/#1',
        commit_sha: 'abc123',
        latest_tag: 'v1+2',
      });
      const names = [
        'project_path',
        'project_title',
        'project_name',
        'project_id',
        'project_namespace',
        'group_name',
        'gitlab_server',
        'gitlab_pages_domain',
        'default_branch',
        'commit_sha',
        'latest_tag',
      ];
      const badgeId = await badge(`/projects/${projectId}`, {
        image_url: `https://ci.test/?${names.map((name) => `${name}=%{${name}}`).join('&')}`,
      });
      const { rendered_image_url } = badgeOf(await get(`/projects/${projectId}/badges/${badgeId}`));
      const { searchParams, hash } = new URL(rendered_image_url);
      assert.equal(hash, '');
      assert.deepEqual(Object.fromEntries(searchParams), {
        project_path: `${groupPath}/ab`,
        project_title: 'A & B?',
        project_name: 'ab',
        project_id: String(projectId),
        project_namespace: `${groupPath}/ab`,
        group_name: groupPath,
        gitlab_server: '127.0.0.1',
        gitlab_pages_domain: '127.0.0.1',
        default_branch: 'feature/#1',
        commit_sha: 'abc123',
        latest_tag: 'v1+2',
      });
    });

    it('follow the project in real time', async () => {
      const { place, badges } = await subjectOf('project');
      const id = await badge(place, { image_url: 'https://ci.test/%{latest_tag}' });
      const rendered = async () => badgeOf(await get(`${badges}/${id}`)).rendered_image_url;
      assert.equal(await rendered(), 'https://ci.test/%{latest_tag}');
      await send('PUT', place, { ...API, form: { latest_tag: 'v9' } });
      assert.equal(await rendered(), 'https://ci.test/v9');
    });
  });

  describe('callers', () => {
    const expired = {
      error: 'invalid_token',
      error_description: 'Token is expired. You can either do re-authorization or token refresh.',
    };
    const lacking = (scope: string) => ({
      error: 'insufficient_scope',
      error_description: 'The request requires higher privileges than provided by the access token.',
      scope,
    });

    it('need no token to read what is public', async () => {
      const { badges, id } = await subjectOf('project');
      assert.equal((await get(badges)).status, 200);
      assert.equal((await get(`${badges}/${id}`)).status, 200);
    });

    it('are refused with a token that nobody knows, even where reading is public', async () => {
      const { badges } = await subjectOf('project');
      assertAnswer(await get(badges, { token: 'nobody' }), 401, UNAUTHORIZED);
      assertAnswer(await get(`${badges}?private_token=nobody`), 401, UNAUTHORIZED);
      assertAnswer(await get(badges, { headers: { authorization: 'Bearer nobody' } }), 401, UNAUTHORIZED);
    });

    it('are told when their token has expired', async () => {
      const { badges } = await subjectOf('project');
      assertAnswer(await get(badges, { token: TOKENS.expired }), 401, expired);
      assertAnswer(await send('POST', badges, { token: TOKENS.expired, form: URLS }), 401, expired);
    });

    it('need read_api to read with a token', async () => {
      const { badges } = await subjectOf('project');
      for (const token of [TOKENS.badges, TOKENS.push])
        assertAnswer(await get(badges, { token }), 403, lacking('api read_api'));
      for (const token of [TOKENS.read, TOKENS.api, TOKENS.admin])
        assert.equal((await get(badges, { token })).status, 200);
    });

    it('need api to write', async () => {
      const { badges, id } = await subjectOf('project');
      const token = TOKENS.read;
      assertAnswer(await send('POST', badges, { token, form: URLS }), 403, lacking('api'));
      assertAnswer(await send('PUT', `${badges}/${id}`, { token }), 403, lacking('api'));
      assertAnswer(await send('DELETE', `${badges}/${id}`, { token }), 403, lacking('api'));
      for (const writer of [TOKENS.api, TOKENS.admin])
        assert.equal((await send('POST', badges, { token: writer, form: URLS })).status, 201);
    });

    it('carry their token in a header or a parameter', async () => {
      const { badges } = await subjectOf('project');
      const ways: readonly (readonly [string, Send])[] = [
        ['', { headers: { 'PRIVATE-TOKEN': TOKENS.api } }],
        ['', { headers: { Authorization: `Bearer ${TOKENS.api}` } }],
        [`?private_token=${TOKENS.api}`, {}],
        [`?access_token=${TOKENS.api}`, {}],
      ];
      for (const [query, more] of ways) {
        assert.equal((await send('POST', `${badges}${query}`, { ...more, form: URLS })).status, 201);
      }
      assert.equal((await send('POST', badges, { form: { ...URLS, private_token: TOKENS.api } })).status, 201);
      assert.equal((await send('POST', badges, { json: { ...URLS, private_token: TOKENS.api } })).status, 201);
    });

    it('are who the parameter says, where a header says otherwise', async () => {
      const { badges } = await subjectOf('project');
      assert.equal((await get(`${badges}?private_token=${TOKENS.read}`, { token: 'nobody' })).status, 200);
      assert.equal((await get(`${badges}?private_token=nobody`, { token: TOKENS.read })).status, 401);
    });

    it('are passers-by with a job token', async () => {
      const { badges } = await subjectOf('project');
      const headers = { 'JOB-TOKEN': TOKENS.api };
      assert.equal((await get(badges, { headers })).status, 200);
      assertAnswer(await send('POST', badges, { headers, form: URLS }), 401, UNAUTHORIZED);
    });

    for (const kind of KINDS) {
      it(`who may not see a private ${kind} get the same 404 as for none`, async () => {
        const hidden =
          kind === 'project' ? await project({ visibility: 'private' }) : await group({ visibility: 'private' });
        const badges = `/${kind}s/${hidden}/badges`;
        const id = await badge(`/${kind}s/${hidden}`);
        const gone = { message: `404 ${kind === 'project' ? 'Project' : 'Group'} Not Found` };
        for (const more of [{}, { token: TOKENS.acme }]) {
          for (const path of [badges, `${badges}/${id}`, `${badges}/${id}/image`, `${badges}/${id}/link`])
            assertAnswer(await get(path, more), 404, gone);
        }
        const token = TOKENS.acme;
        assertAnswer(await get(`${badges}/render?${new URLSearchParams(URLS)}`, { token }), 404, gone);
        assertAnswer(await send('POST', badges, { token, form: URLS }), 404, gone);
        assertAnswer(await send('PUT', `${badges}/${id}`, { token }), 404, gone);
        assertAnswer(await send('DELETE', `${badges}/${id}`, { token }), 404, gone);
        for (const reader of [TOKENS.read, TOKENS.api, TOKENS.admin])
          assert.equal((await get(badges, { token: reader })).status, 200);
      });
    }

    it('with a key for some applications see and change those', async () => {
      const acme = idOf(
        expectStatus(await send('POST', '/groups', { ...API, form: { name: 'acme', path: 'acme' } }), 201),
      );
      const web = await project({ namespace_id: String(acme), path: 'web', visibility: 'private' });
      const token = TOKENS.acme;
      assert.equal((await get(`/projects/${web}/badges`)).status, 404);
      for (const place of [`/groups/${acme}`, `/projects/${web}`]) {
        assert.equal((await send('POST', `${place}/badges`, { token, form: URLS })).status, 201);
      }
      assert.equal(badgesOf(await get(`/projects/${web}/badges`, { token })).length, 2);
      const open = await subjectOf('project');
      assert.equal((await get(open.badges, { token })).status, 200);
      assertAnswer(await send('POST', open.badges, { token, form: URLS }), 403, FORBIDDEN);
    });
  });

  describe('owners in the path', () => {
    it('are named by number, or by encoded path without regard to case', async () => {
      const groupPath = fresh('Group');
      const parent = await group({ path: groupPath, name: groupPath });
      const id = await project({ namespace_id: String(parent), path: 'my.web-app_1' });
      await badge(`/projects/${id}`);
      const path = `${groupPath}%2Fmy.web-app_1`;
      for (const ref of [String(id), path, path.toUpperCase().replace('%2F', '%2f')])
        assert.equal(badgesOf(await get(`/projects/${ref}/badges`)).length, 1);
      for (const ref of [String(parent), groupPath, groupPath.toLowerCase()])
        assertAnswer(await get(`/groups/${ref}/badges`), 200, []);
    });

    it('are not found by a bare word, by an unknown path, or with slashes as they are', async () => {
      const { badges } = await subjectOf('project');
      assert.equal((await get(badges)).status, 200);
      const gone = { message: '404 Project Not Found' };
      assertAnswer(await get('/projects/maintainer/badges'), 404, gone);
      assertAnswer(await get('/projects/maintainer%2Fnothing/badges'), 404, gone);
      assertAnswer(await get('/groups/nothing/badges'), 404, { message: '404 Group Not Found' });
      assertAnswer(await get('/projects/maintainer/web/badges'), 404, { error: '404 Not Found' });
    });
  });

  describe('bad input', () => {
    /** Everything that a careless or wicked client sends: a clear refusal, never our fault. */
    const paths = [
      '/projects/%/badges',
      '/projects/%ZZ/badges',
      '/projects/%C0%AF/badges',
      '/projects/a%2F%00b/badges',
      '/projects/%00/badges',
      '/groups/%00/badges',
      '/groups/%FF/badges',
      '/projects/..%2F..%2Fetc/badges',
      '/projects/../badges',
      '/projects//badges',
      '/projects/1%27%20or%201=1/badges',
      '/projects/-1/badges',
      '/projects/99999999999999999999/badges',
      '/projects/1e3/badges',
      `/projects/${'x'.repeat(5_000)}%2Fy/badges`,
      '/groups/%F0%9F%98%80/badges',
      '/projects/constructor/badges/__proto__',
      '/projects/1/badges/%00',
      '/projects/1/badges/1%2F2',
      '/projects/1/badges/99999999999999999999',
      '/projects/1/badges/-1',
      '/projects/1/badges/1.0',
      '/projects/1/badges/x/image',
      '/projects/1/badges/99999999/image',
      '/projects/1/badges/1/nothing',
      '/badges',
      '/',
    ];
    for (const path of paths) {
      it(`${path.slice(0, 60)} is refused`, async () => {
        for (const method of ['GET', 'PUT', 'DELETE', 'POST']) {
          const reply = await send(method, path, { ...API, form: method === 'GET' ? undefined : URLS });
          assert.ok([400, 404, 405].includes(reply.status), `${method} ${path}: ${reply.status} ${reply.text}`);
          assert.equal(reply.headers['content-type'], 'application/json');
          assert.ok(
            z
              .object({ message: z.string() })
              .or(z.object({ error: z.string() }))
              .parse(reply.json),
          );
        }
      });
    }

    const bodies: readonly (readonly [type: string, body: string])[] = [
      ['application/json', '{'],
      ['application/json', '[]'],
      ['application/json', '"text"'],
      ['application/json', 'null'],
      ['application/json', '{"link_url":"https://ci.test/","image_url":{"toString":1}}'],
      ['application/json', '\ufeff{}'],
      ['application/json', `{"link_url":"${'x'.repeat(300_000)}"}`],
      ['application/x-www-form-urlencoded', `link_url=${'x'.repeat(300_000)}`],
      ['application/x-www-form-urlencoded', '%'],
      ['application/x-www-form-urlencoded', 'link_url[]=x&image_url[a]=y'],
      ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="link_url"\r\n\r\nx\r\n--x--'],
      ['text/plain', 'link_url=x'],
      ['application/xml', '<a/>'],
    ];
    for (const [type, body] of bodies) {
      it(`a body ${body.slice(0, 40)} of ${type} is refused`, async () => {
        const { badges } = await subjectOf('project');
        const reply = await send('POST', badges, { ...API, headers: { 'content-type': type }, body });
        assert.equal(reply.status, 400, reply.text);
        assert.equal(reply.headers['content-type'], 'application/json');
        assert.equal(badgesOf(await get(badges)).length, 1);
      });
    }

    it('a Host header that is none harms nobody', async () => {
      const { badges } = await subjectOf('project');
      const wrong: Record<string, string>[] = ['[', 'a b', 'x:y', '%'].map((name) => ({ host: name }));
      for (const headers of [...wrong, { 'x-forwarded-host': '[' }, { 'x-forwarded-proto': 'a b' }]) {
        const reply = await get(badges, { headers });
        assert.equal(reply.status, 200, `${JSON.stringify(headers)}: ${reply.text}`);
        assert.match(`${reply.headers.link}`, /^<http:\/\/localhost\/api\/v4\//);
      }
    });

    it('strange texts are stored as they are, without what no database holds', async () => {
      const { badges } = await subjectOf('project');
      const name = '\'; drop table badges; -- "\\ %_ \u{1F600} \u202e';
      const added = badgeOf(
        expectStatus(await send('POST', badges, { ...API, json: { ...URLS, name: `${name}\0` } }), 201),
      );
      assert.equal(added.name, name);
      assert.equal(badgesOf(await get(`${badges}?name=${encodeURIComponent(name)}%00`)).length, 1);
      const half = await send('POST', badges, { ...API, json: { ...URLS, name: '\ud800' } });
      assert.equal(half.status, 201);
    });
  });

  it('adds no badge to a project that is being removed, and says so', async () => {
    const { place, badges } = await subjectOf('project');
    const adding = Array.from({ length: 20 }, () => send('POST', badges, { ...API, form: URLS }));
    const removing = send('DELETE', place, API);
    const more = Array.from({ length: 20 }, () => send('POST', badges, { ...API, form: URLS }));
    await removing;
    for (const reply of await Promise.all([...adding, ...more])) {
      assert.ok([201, 404].includes(reply.status), `${reply.status} ${reply.text}`);
    }
  });

  describe('the document of 2018', () => {
    const token = { 'PRIVATE-TOKEN': TOKENS.api };
    const without = (name: string) => ({ name: null, ...(name === '' ? {} : { name }) });
    const form = { ...token, 'Content-Type': 'application/x-www-form-urlencoded' };
    const body =
      'link_url=https://gitlab.com/gitlab-org/gitlab-ce/commits/master&image_url=https://shields.io/my/badge1&position=0';

    it('lists, gets, adds, edits, removes and previews as its lines of curl say', async () => {
      const parent = await group({ path: fresh('example-org') });
      const id = await project({ namespace_id: String(parent), path: 'example-project', default_branch: 'master' });
      const { path_with_namespace } = z
        .object({ path_with_namespace: z.string() })
        .parse((await get(`/projects/${id}`)).json);
      const badges = `/projects/${id}/badges`;
      const url = 'http://example.com/ci_status.svg?project=%{project_path}&ref=%{default_branch}';
      const rendered = `http://example.com/ci_status.svg?project=${path_with_namespace}&ref=master`;
      const image = 'https://shields.io/my/badge';
      const common = {
        ...without(''),
        link_url: url,
        image_url: image,
        rendered_link_url: rendered,
        rendered_image_url: image,
      };
      const own = await badge(`/projects/${id}`, { link_url: url, image_url: image });
      const inherited = await badge(`/groups/${parent}`, { link_url: url, image_url: image });

      assertAnswer(await get(badges, { headers: token }), 200, [
        { ...common, id: own, kind: 'project' },
        { ...common, id: inherited, kind: 'group' },
      ]);
      assertAnswer(await get(`${badges}/${own}`, { headers: token }), 200, { ...common, id: own, kind: 'project' });

      const added = badgeOf(expectStatus(await send('POST', badges, { headers: form, body }), 201));
      const commits = 'https://gitlab.com/gitlab-org/gitlab-ce/commits/master';
      assert.deepEqual(added, {
        ...without(''),
        id: added.id,
        link_url: commits,
        image_url: 'https://shields.io/my/badge1',
        rendered_link_url: commits,
        rendered_image_url: 'https://shields.io/my/badge1',
        kind: 'project',
      });

      assertAnswer(await send('PUT', `${badges}/${added.id}`, { headers: token }), 200, added);
      const removed = await send('DELETE', `${badges}/${added.id}`, { headers: token });
      assert.deepEqual([removed.status, removed.text], [204, '']);

      const preview =
        '?link_url=http%3A%2F%2Fexample.com%2Fci_status.svg%3Fproject%3D%25%7Bproject_path%7D%26ref%3D%25%7Bdefault_branch%7D&image_url=https%3A%2F%2Fshields.io%2Fmy%2Fbadge';
      assertAnswer(await get(`${badges}/render${preview}`, { headers: token }), 200, common);
    });
  });

  describe('image and link', () => {
    it('redirect to the rendered URLs', async () => {
      const { place, badges } = await subjectOf('project');
      const id = await badge(place, {
        link_url: 'https://ci.test/l?p=%{project_name}',
        image_url: 'https://ci.test/i/%{project_name}.svg',
      });
      const { rendered_image_url, rendered_link_url } = badgeOf(await get(`${badges}/${id}`));
      for (const [kind, target] of [
        ['image', rendered_image_url],
        ['link', rendered_link_url],
      ] as const) {
        const reply = await get(`${badges}/${id}/${kind}`);
        assert.deepEqual([reply.status, reply.headers.location], [302, target]);
        assert.match(reply.headers['cache-control'] ?? '', /^private, max-age=\d+/);
      }
    });

    it('stay where they are when the definition changes', async () => {
      const { badges, id } = await subjectOf('project');
      await send('PUT', `${badges}/${id}`, { ...API, form: { image_url: 'https://ci.test/moved.svg' } });
      assert.equal((await get(`${badges}/${id}/image`)).headers.location, 'https://ci.test/moved.svg');
      await send('DELETE', `${badges}/${id}`, API);
      assertAnswer(await get(`${badges}/${id}/image`), 404, NOT_FOUND);
    });

    it('work for inherited badges too, with the values of the project', async () => {
      const parent = await group();
      const id = await project({ namespace_id: String(parent), path: 'web' });
      const inherited = await badge(`/groups/${parent}`, { image_url: 'https://ci.test/%{project_name}.svg' });
      const reply = await get(`/projects/${id}/badges/${inherited}/image`);
      assert.equal(reply.headers.location, 'https://ci.test/web.svg');
      const stranger = await subjectOf('project');
      assertAnswer(await get(`${stranger.badges}/${inherited}/image`), 404, NOT_FOUND);
    });

    it('lead to what a browser can follow, whatever a title says', async () => {
      const id = await project({ name: 'a b\u{1F600}"<>&?#' });
      const badgeId = await badge(`/projects/${id}`, { image_url: 'https://ci.test/ä b\u{1F600}?t=%{project_title}' });
      const reply = await get(`/projects/${id}/badges/${badgeId}/image`);
      const location = new URL(reply.headers.location ?? '');
      assert.equal(reply.status, 302);
      assert.equal(location.searchParams.get('t'), 'a b\u{1F600}"<>&?#');
      assert.equal(decodeURIComponent(location.pathname), '/ä b\u{1F600}');
      assert.match(reply.headers.location ?? '', /^[\x21-\x7e]+$/);
    });
  });

  describe("the page's own example: a badge of this very host", () => {
    let place: string;
    let path: string;
    let id: number;
    before(async () => {
      const parent = await group();
      const projectId = await project({ namespace_id: String(parent), path: 'web' });
      place = `/projects/${projectId}`;
      path = z.object({ path_with_namespace: z.string() }).parse((await get(place)).json).path_with_namespace;
      const own = (kind: string) =>
        `${host.origin}/api/ci-badges/${kind}?key=${TOKENS.badges}&$ApplicationName=%{project_path}`;
      id = await badge(place, { image_url: own('image'), link_url: own('link') });
      const report = { application: path, build: '41', state: 'success', pages: { build: 'https://ci.test/41' } };
      const reported = await send('POST', '/api/builds', { headers: { 'x-apikey': TOKENS.push }, json: report });
      assert.ok(reported.status < 300, reported.text);
    });

    it('is rendered, fetched and drawn', async () => {
      const { rendered_image_url } = badgeOf(await get(`${place}/badges/${id}`));
      assert.equal(
        rendered_image_url,
        `${host.origin}/api/ci-badges/image?key=${TOKENS.badges}&$ApplicationName=${path}`,
      );
      const reply = await get(rendered_image_url.slice(host.origin.length));
      assert.equal(reply.status, 200);
      assert.equal(reply.headers['badge-state'], 'success');
      assert.match(reply.text, /^<svg /);
    });

    it('is answered at once, by one request', async () => {
      const direct = await get(
        badgeOf(await get(`${place}/badges/${id}`)).rendered_image_url.slice(host.origin.length),
      );
      const before = host.got.length;
      const reply = await get(`${place}/badges/${id}/image`);
      assert.equal(host.got.length, before + 1);
      assert.equal(reply.status, 200);
      assert.equal(reply.headers['badge-state'], 'success');
      assert.equal(reply.headers['content-type'], direct.headers['content-type']);
      assert.equal(reply.text, direct.text);
      const again = await get(`${place}/badges/${id}/image`, {
        headers: { 'if-none-match': reply.headers.etag ?? '' },
      });
      assert.equal(again.status, 304);
    });

    it('leads to the build by one request', async () => {
      const before = host.got.length;
      const reply = await get(`${place}/badges/${id}/link`);
      assert.equal(host.got.length, before + 1);
      assert.deepEqual([reply.status, reply.headers.location], [303, 'https://ci.test/41']);
    });

    it('is kept by shared caches only where everybody may see the project', async () => {
      const cached = async (more: Send = {}) =>
        (await get(`${place}/badges/${id}/image`, more)).headers['cache-control'] ?? '';
      assert.match(await cached(), /^public, /);
      await send('PUT', place, { ...API, form: { visibility: 'private' } });
      assert.match(await cached({ token: TOKENS.read }), /^private, /);
    });

    it('is not taken for one of ours on another host or path', async () => {
      const port = new URL(host.origin).port;
      for (const image_url of [
        `http://127.0.0.1:${Number(port) + 1}/api/ci-badges/image?key=badges`,
        `http://localhost:${port}/api/ci-badges/image?key=badges`,
        `${host.origin}/api/ci-badges/imagex?key=badges`,
        `${host.origin}/healthz`,
      ]) {
        const other = await badge(place, { image_url });
        const reply = await get(`${place}/badges/${other}/image`, API);
        assert.deepEqual([reply.status, reply.headers.location], [302, image_url]);
      }
    });
  });
});

describe("GitLab's badges API behind another address", () => {
  const freshDatabase = freshSqlite();
  let host: TestHost;
  const { project, badge } = makerOf(() => host);
  before(async () => {
    const server = { basePath: '/signal', publicUrl: 'https://badges.example.org/signal' };
    host = await startHost(await freshDatabase(), { server });
  });
  after(() => host.close());

  it('links to pages by the configured address', async () => {
    const id = await project();
    const { link } = (await host.get(`/projects/${id}/badges`)).headers;
    const address = `https://badges.example.org/signal/api/v4/projects/${id}/badges?id=${id}&page=1&per_page=20`;
    assert.equal(link, `<${address}>; rel="first", <${address}>; rel="last"`);
  });

  it('names the server by the configured host', async () => {
    const id = await project();
    const badgeId = await badge(`/projects/${id}`, {
      image_url: 'https://ci.test/%{gitlab_server}/%{gitlab_pages_domain}',
    });
    const { rendered_image_url } = badgeOf(await host.get(`/projects/${id}/badges/${badgeId}`));
    assert.equal(rendered_image_url, 'https://ci.test/badges.example.org/badges.example.org');
  });

  it('knows its own badges by the configured address', async () => {
    const id = await project();
    const own = `https://badges.example.org/signal/api/ci-badges/image?key=${TOKENS.badges}&$ApplicationName=x`;
    const badgeId = await badge(`/projects/${id}`, { image_url: own });
    const reply = await host.get(`/projects/${id}/badges/${badgeId}/image`);
    assert.deepEqual([reply.status, reply.headers['badge-state']], [200, 'unknown']);
  });
});

describe('placeholders of a project that is bound to a source', () => {
  const freshDatabase = freshSqlite();
  const asked: string[] = [];
  let answer = async () => ({ defaultBranch: 'main', commit: 'abc', tag: 'v1' });
  const forge = defineProvider({
    id: 'forge',
    title: 'A forge',
    docs: 'https://forge.test/docs',
    words: { application: 'repository', release: 'branch', build: 'number', execution: 'run' },
    options: z.strictObject({}),
    filters: ['application'],
    async *executions() {},
    async findProject(application) {
      asked.push(application);
      return answer();
    },
  });
  const providers: Registry = { forge: async () => ({ default: forge }) };
  const sources = [{ name: 'forge', provider: 'forge' }];

  it('come from there, and outlive an outage and a restart', async () => {
    const database = await freshDatabase();
    let host = await startHost(database, { providers, sources });
    const make = makerOf(() => host);
    const id = await make.project({ source: 'forge', source_project: 'shop/web' });
    const badgeId = await make.badge(`/projects/${id}`, {
      image_url: 'https://ci.test/%{default_branch}/%{commit_sha}/%{latest_tag}',
    });
    const rendered = async () => badgeOf(await host.get(`/projects/${id}/badges/${badgeId}`)).rendered_image_url;
    assert.equal(await rendered(), 'https://ci.test/main/abc/v1');
    assert.equal(await rendered(), 'https://ci.test/main/abc/v1');
    assert.deepEqual(asked, ['shop/web']);
    await host.close();

    answer = async () => {
      throw new UpstreamError('the forge is down');
    };
    host = await startHost(database, { providers, sources });
    assert.equal(await rendered(), 'https://ci.test/main/abc/v1');
    assert.equal(asked.length, 2);
    await host.close();
  });

  it('refuse a source that is not there', async () => {
    const host = await startHost(await freshDatabase(), { providers, sources });
    const form = { name: 'web', source: 'nothing' };
    assertAnswer(await host.send('POST', '/projects', { ...API, form }), 400, {
      message: { source: ['there is no source `nothing` here'] },
    });
    await host.close();
  });
});
