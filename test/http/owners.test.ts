import assert from 'node:assert/strict';
import { z } from 'zod';
import pkg from '#package' with { type: 'json' };
import {
  describeOnEach,
  expectStatus,
  idOf,
  type Reply,
  type Send,
  startHost,
  type TestHost,
  TOKENS,
} from '../definitions-host.ts';

const API = { token: TOKENS.api };
const UNAUTHORIZED = { message: '401 Unauthorized' };
const LONG = 'x'.repeat(256);
const NO_PATH = "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or '.', end in '.'";

const Project = z.strictObject({
  id: z.number(),
  description: z.string().nullable(),
  name: z.string(),
  name_with_namespace: z.string(),
  path: z.string(),
  path_with_namespace: z.string(),
  created_at: z.iso.datetime(),
  default_branch: z.string().nullable(),
  visibility: z.enum(['public', 'private']),
  web_url: z.string(),
  namespace: z.strictObject({
    id: z.number().nullable(),
    name: z.string(),
    path: z.string(),
    kind: z.enum(['group', 'user']),
    full_path: z.string(),
    parent_id: z.number().nullable(),
  }),
  commit_sha: z.string().nullable(),
  latest_tag: z.string().nullable(),
  source: z.string().nullable(),
  source_project: z.string().nullable(),
});
const Group = z.strictObject({
  id: z.number(),
  name: z.string(),
  path: z.string(),
  description: z.string().nullable(),
  visibility: z.enum(['public', 'private']),
  full_name: z.string(),
  full_path: z.string(),
  parent_id: z.number().nullable(),
  created_at: z.iso.datetime(),
  web_url: z.string(),
});

const projectOf = ({ json }: Reply) => Project.parse(json);
const groupOf = ({ json }: Reply) => Group.parse(json);
const projectsOf = ({ json }: Reply) =>
  z
    .array(Project)
    .parse(json)
    .map((project) => project.path_with_namespace);
const groupsOf = ({ json }: Reply) =>
  z
    .array(Group)
    .parse(json)
    .map((group) => group.full_path);

function assertAnswer(reply: Reply, status: number, body: unknown): void {
  assert.deepEqual([reply.status, reply.json], [status, body]);
  assert.equal(reply.headers['content-type'], 'application/json');
}

describeOnEach('owners of definitions', (freshDatabase) => {
  let host: TestHost;
  const send = (method: string, path: string, more?: Send) => host.send(method, path, more);
  const get = (path: string, more?: Send) => host.get(path, more);
  const add = async (path: string, json: object) => expectStatus(await send('POST', path, { ...API, json }), 201);
  const addProject = async (json: object) => projectOf(await add('/projects', json));
  const addGroup = async (json: object) => groupOf(await add('/groups', json));
  beforeEach(async () => {
    host = await startHost(await freshDatabase());
  });
  afterEach(() => host.close());

  describe('a project', () => {
    it('is made in the namespace of its key', async () => {
      const made = await addProject({ name: 'The Web' });
      const { id, created_at, ...rest } = made;
      assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000);
      assert.deepEqual(rest, {
        description: null,
        name: 'The Web',
        name_with_namespace: 'maintainer / The Web',
        path: 'The-Web',
        path_with_namespace: 'maintainer/The-Web',
        default_branch: null,
        visibility: 'private',
        web_url: `${host.origin}/projects/maintainer/The-Web`,
        namespace: {
          id: null,
          name: 'maintainer',
          path: 'maintainer',
          kind: 'user',
          full_path: 'maintainer',
          parent_id: null,
        },
        commit_sha: null,
        latest_tag: null,
        source: null,
        source_project: null,
      });
      assertAnswer(await get(`/projects/${id}`, API), 200, made);
      assertAnswer(await get('/projects/MAINTAINER%2fthe-web', API), 200, made);
    });

    it('is made in a group, with all that may be said of it', async () => {
      const acme = await addGroup({ name: 'Acme Ltd.', path: 'acme' });
      const shop = await addGroup({ name: 'Shop', path: 'shop', parent_id: acme.id });
      const said = {
        description: 'The shop',
        default_branch: 'trunk',
        visibility: 'public',
        commit_sha: 'abc',
        latest_tag: 'v1',
        source: 'push',
        source_project: 'web',
      };
      const made = await addProject({ name: 'Web', path: 'web_1.x', namespace_id: shop.id, ...said });
      assert.deepEqual({ ...made, ...said }, made);
      assert.equal(made.name_with_namespace, 'Acme Ltd. / Shop / Web');
      assert.equal(made.path_with_namespace, 'acme/shop/web_1.x');
      assert.deepEqual(made.namespace, {
        id: shop.id,
        name: 'Shop',
        path: 'shop',
        kind: 'group',
        full_path: 'acme/shop',
        parent_id: acme.id,
      });
    });

    it('is made from a form or a query as well', async () => {
      assert.equal(
        (await send('POST', '/projects', { ...API, form: { name: 'a', visibility: 'public' } })).status,
        201,
      );
      assert.equal((await send('POST', '/projects?path=b&visibility=public', API)).status, 201);
      assert.deepEqual(projectsOf(await get('/projects')), ['maintainer/b', 'maintainer/a']);
    });

    it('is named by its path where it has no name, and the other way round', async () => {
      const { name, path } = await addProject({ path: 'web' });
      assert.deepEqual([name, path], ['web', 'web']);
      assert.equal((await addProject({ name: ' --Über & Co. ' })).path, 'ber-Co');
    });

    it('is changed in what is sent', async () => {
      const made = await addProject({ name: 'Web', description: 'x', default_branch: 'main' });
      const edit = (json: object) => send('PUT', `/projects/${made.id}`, { ...API, json });
      const named = { ...made, name: 'The Web', name_with_namespace: 'maintainer / The Web' };
      assertAnswer(await edit({ name: 'The Web' }), 200, named);
      assertAnswer(await edit({}), 200, named);
      assertAnswer(await edit({ visibility: 'public', path: 'ignored', id: 5 }), 200, {
        ...named,
        visibility: 'public',
      });
      const cleared = { ...named, visibility: 'public', description: null, default_branch: null };
      assertAnswer(await edit({ description: null, default_branch: '' }), 200, cleared);
      assertAnswer(await get(`/projects/${made.id}`), 200, cleared);
    });

    it('is unbound from its source by an empty text', async () => {
      const made = await addProject({ name: 'Web', source: 'push', source_project: 'w' });
      const form = { source: '', source_project: '' };
      const edited = projectOf(await send('PUT', `/projects/${made.id}`, { ...API, form }));
      assert.deepEqual([edited.source, edited.source_project], [null, null]);
    });

    it('is removed with its badges, and its numbers are not given again', async () => {
      const { id } = await addProject({ name: 'Web' });
      const urls = { link_url: 'https://ci.test/', image_url: 'https://ci.test/' };
      const badge = idOf(await add(`/projects/${id}/badges`, urls));
      assertAnswer(await send('DELETE', `/projects/${id}`, API), 202, { message: '202 Accepted' });
      for (const method of ['GET', 'PUT', 'DELETE'])
        assertAnswer(await send(method, `/projects/${id}`, API), 404, { message: '404 Project Not Found' });
      const next = await addProject({ name: 'Web' });
      assert.ok(next.id > id);
      assert.ok(idOf(await add(`/projects/${next.id}/badges`, urls)) > badge);
    });

    const refused: readonly (readonly [given: object, body: unknown])[] = [
      [{}, { error: 'name, path are missing, at least one parameter must be provided' }],
      [{ name: '' }, { error: 'name, path are missing, at least one parameter must be provided' }],
      [{ name: ' ' }, { message: { name: ["can't be blank"], path: [NO_PATH] } }],
      [{ name: LONG, path: 'x' }, { message: { name: ['is too long (maximum is 255 characters)'] } }],
      [{ name: 'x', path: LONG }, { message: { path: [NO_PATH] } }],
      [{ name: 'Ü' }, { message: { path: [NO_PATH] } }],
      [{ path: '../x' }, { message: { path: [NO_PATH] } }],
      [{ path: '.' }, { message: { path: [NO_PATH] } }],
      [{ path: '-x' }, { message: { path: [NO_PATH] } }],
      [{ path: 'x.' }, { message: { path: [NO_PATH] } }],
      [{ path: 'a/b' }, { message: { path: [NO_PATH] } }],
      [{ path: 'a b' }, { message: { path: [NO_PATH] } }],
      [{ path: 'a\n' }, { message: { path: [NO_PATH] } }],
      [{ name: ['x'] }, { error: 'name is invalid' }],
      [{ name: 'x', visibility: 'internal' }, { error: 'visibility does not have a valid value' }],
      [{ name: 'x', visibility: null }, { error: 'visibility does not have a valid value' }],
      [{ name: 'x', namespace_id: 999_999 }, { message: { namespace: ['is not valid'] } }],
      [{ name: 'x', namespace_id: 'acme' }, { message: { namespace: ['is not valid'] } }],
      [{ name: 'x', namespace_id: {} }, { message: { namespace: ['is not valid'] } }],
      [{ name: 'x', source: 'nothing' }, { message: { source: ['there is no source `nothing` here'] } }],
      [{ name: 'x', description: {} }, { error: 'description is invalid' }],
      [{ name: 'taken' }, { message: { path: ['has already been taken'] } }],
      [{ name: 'x', path: 'TAKEN' }, { message: { path: ['has already been taken'] } }],
    ];
    for (const [given, body] of refused) {
      it(`is not made of ${JSON.stringify(given).slice(0, 60)}`, async () => {
        await addProject({ name: 'taken' });
        assertAnswer(await send('POST', '/projects', { ...API, json: given }), 400, body);
        assert.deepEqual(projectsOf(await get('/projects', API)), ['maintainer/taken']);
      });
    }

    it('is not changed to what it could not be made with', async () => {
      const made = await addProject({ name: 'Web' });
      for (const [json, body] of [
        [{ name: LONG }, { message: { name: ['is too long (maximum is 255 characters)'] } }],
        [{ name: ' ' }, { message: { name: ["can't be blank"] } }],
        [{ name: null }, { message: { name: ["can't be blank"] } }],
        [{ visibility: 'x' }, { error: 'visibility does not have a valid value' }],
        [{ source: 'x' }, { message: { source: ['there is no source `x` here'] } }],
      ] as const) {
        assertAnswer(await send('PUT', `/projects/${made.id}`, { ...API, json }), 400, body);
      }
      assertAnswer(await get(`/projects/${made.id}`, API), 200, made);
    });

    it('is made once, however many try at the same moment', async () => {
      const tries = Array.from({ length: 10 }, () => send('POST', '/projects', { ...API, json: { name: 'web' } }));
      const statuses = (await Promise.all(tries)).map(({ status }) => status);
      assert.deepEqual(statuses.toSorted(), [201, ...Array.from({ length: 9 }, () => 400)]);
    });

    it('is not found by a bare word or an unknown path', async () => {
      await addProject({ name: 'web', visibility: 'public' });
      for (const ref of [
        'web',
        'maintainer',
        'maintainer%2Fnothing',
        '0',
        '-1',
        '99999999999999999999',
        '%00',
        'a%2F%00',
      ])
        assertAnswer(await get(`/projects/${ref}`), 404, { message: '404 Project Not Found' });
    });
  });

  describe('a group', () => {
    it('is made at the top or in another', async () => {
      const acme = await addGroup({ name: 'Acme Ltd.', path: 'acme', description: 'All of it', visibility: 'public' });
      const { id, created_at: _at, ...rest } = acme;
      assert.deepEqual(rest, {
        name: 'Acme Ltd.',
        path: 'acme',
        description: 'All of it',
        visibility: 'public',
        full_name: 'Acme Ltd.',
        full_path: 'acme',
        parent_id: null,
        web_url: `${host.origin}/groups/acme`,
      });
      const shop = await addGroup({ name: 'Shop', path: 'shop', parent_id: id });
      assert.deepEqual(
        [shop.full_name, shop.full_path, shop.parent_id, shop.visibility],
        ['Acme Ltd. / Shop', 'acme/shop', id, 'private'],
      );
      assertAnswer(await get('/groups/ACME'), 200, acme);
      assertAnswer(await get('/groups/acme%2Fshop', API), 200, shop);
      assertAnswer(await get(`/groups/${shop.id}`, API), 200, shop);
    });

    it('is changed in what is sent; its path stays', async () => {
      const acme = await addGroup({ name: 'Acme', path: 'acme' });
      const json = { name: 'Acme Ltd.', description: 'x', visibility: 'public', path: 'other', parent_id: 7 };
      const changed = { ...acme, name: 'Acme Ltd.', full_name: 'Acme Ltd.', description: 'x', visibility: 'public' };
      assertAnswer(await send('PUT', '/groups/acme', { ...API, json }), 200, changed);
      assertAnswer(await send('PUT', '/groups/acme', API), 200, changed);
      assertAnswer(await send('PUT', '/groups/acme', { ...API, json: { name: '' } }), 400, {
        message: { name: ["can't be blank"] },
      });
      assertAnswer(await send('PUT', '/groups/acme', { ...API, json: { name: LONG } }), 400, {
        message: { name: ['is too long (maximum is 255 characters)'] },
      });
      assertAnswer(await get('/groups/acme'), 200, changed);
    });

    it('is removed with all that is in it', async () => {
      const acme = await addGroup({ name: 'Acme', path: 'acme' });
      const shop = await addGroup({ name: 'Shop', path: 'shop', parent_id: acme.id });
      const web = await addProject({ name: 'web', namespace_id: shop.id });
      await addProject({ name: 'stays' });
      assertAnswer(await send('DELETE', '/groups/acme', API), 202, { message: '202 Accepted' });
      assertAnswer(await get(`/groups/${shop.id}`, API), 404, { message: '404 Group Not Found' });
      assertAnswer(await get(`/projects/${web.id}`, API), 404, { message: '404 Project Not Found' });
      assert.deepEqual(projectsOf(await get('/projects', API)), ['maintainer/stays']);
      assert.ok((await addGroup({ name: 'Acme', path: 'acme' })).id > shop.id);
    });

    const refused: readonly (readonly [given: object, body: unknown])[] = [
      [{}, { error: 'name is missing, path is missing' }],
      [{ name: 'x' }, { error: 'path is missing' }],
      [{ path: 'x' }, { error: 'name is missing' }],
      [{ name: 'x', path: 'a/b' }, { message: { path: [NO_PATH] } }],
      [{ name: 'x', path: '..' }, { message: { path: [NO_PATH] } }],
      [{ name: 'x', path: 'x', parent_id: 99 }, { message: { namespace: ['is not valid'] } }],
      [{ name: 'x', path: 'x', visibility: 'secret' }, { error: 'visibility does not have a valid value' }],
      [{ name: 'x', path: 'Taken' }, { message: { path: ['has already been taken'] } }],
      [{ name: 'x', path: ['x'] }, { error: 'path is invalid' }],
    ];
    for (const [given, body] of refused) {
      it(`is not made of ${JSON.stringify(given)}`, async () => {
        await addGroup({ name: 'taken', path: 'taken' });
        assertAnswer(await send('POST', '/groups', { ...API, json: given }), 400, body);
        assert.deepEqual(groupsOf(await get('/groups', API)), ['taken']);
      });
    }
  });

  describe('lists', () => {
    beforeEach(async () => {
      const acme = await addGroup({ name: 'Acme', path: 'acme', visibility: 'public' });
      const shop = await addGroup({ name: 'The Shop', path: 'shop', parent_id: acme.id });
      await addProject({ name: 'One', path: 'one', namespace_id: acme.id, visibility: 'public' });
      await addProject({ name: 'Two', path: 'two', namespace_id: acme.id });
      await addProject({ name: 'Three', path: 'three', namespace_id: shop.id });
      await addProject({ name: 'Four', path: 'four', visibility: 'public' });
    });

    const lists: readonly (readonly [path: string, all: readonly string[], open: readonly string[]])[] = [
      ['/projects', ['maintainer/four', 'acme/shop/three', 'acme/two', 'acme/one'], ['maintainer/four', 'acme/one']],
      [
        '/projects?search=O',
        ['maintainer/four', 'acme/shop/three', 'acme/two', 'acme/one'],
        ['maintainer/four', 'acme/one'],
      ],
      ['/projects?search=tHRee', ['acme/shop/three'], []],
      ['/projects?search=acme%2Ft', ['acme/two'], []],
      [
        '/projects?search=',
        ['maintainer/four', 'acme/shop/three', 'acme/two', 'acme/one'],
        ['maintainer/four', 'acme/one'],
      ],
      ['/groups/acme/projects', ['acme/two', 'acme/one'], ['acme/one']],
      ['/groups', ['acme', 'acme/shop'], ['acme']],
      ['/groups?search=the+s', ['acme/shop'], []],
      ['/groups/acme/subgroups', ['acme/shop'], []],
    ];
    for (const [path, all, open] of lists) {
      it(`${path} has what the caller may see, and counts that`, async () => {
        const read = path.startsWith('/projects') || path.endsWith('/projects') ? projectsOf : groupsOf;
        const whole = await get(path, { token: TOKENS.read });
        assert.deepEqual(read(whole), all);
        assert.equal(whole.headers['x-total'], String(all.length));
        const part = await get(path);
        assert.deepEqual(read(part), open);
        assert.equal(part.headers['x-total'], String(open.length));
        assert.equal(part.headers['content-type'], 'application/json');
      });
    }

    it('show a key for some applications nothing private of others', async () => {
      const token = TOKENS.acme;
      await addProject({ name: 'hidden' });
      await addGroup({ name: 'hidden', path: 'hidden' });
      assert.deepEqual(projectsOf(await get('/projects', { token })), [
        'maintainer/four',
        'acme/shop/three',
        'acme/two',
        'acme/one',
      ]);
      assert.deepEqual(groupsOf(await get('/groups', { token })), ['acme', 'acme/shop']);
    });

    it('come in pages that link to each other', async () => {
      const seen: string[] = [];
      let next: string | undefined = '/projects?per_page=2&search=o';
      let pages = 0;
      while (next !== undefined) {
        const reply: Reply = await get(next, API);
        assert.equal(reply.headers['x-total'], '4');
        assert.equal(reply.headers['x-total-pages'], '2');
        seen.push(...projectsOf(reply));
        pages += 1;
        next = /<([^>]*)>; rel="next"/.exec(`${reply.headers.link}`)?.[1]?.slice(host.origin.length);
      }
      assert.equal(pages, 2);
      assert.deepEqual(seen, ['maintainer/four', 'acme/shop/three', 'acme/two', 'acme/one']);
    });

    it('refuse pages that are none', async () => {
      for (const path of ['/projects', '/groups', '/groups/acme/projects', '/groups/acme/subgroups']) {
        assertAnswer(await get(`${path}?per_page=0`), 400, { error: 'per_page has a value not allowed' });
        assertAnswer(await get(`${path}?page=x`), 400, { error: 'page is invalid' });
      }
    });

    it('of what is below a group are none where the group may not be seen', async () => {
      const gone = { message: '404 Group Not Found' };
      assertAnswer(await get('/groups/acme%2Fshop/projects'), 404, gone);
      assertAnswer(await get('/groups/acme%2Fshop/subgroups'), 404, gone);
      assertAnswer(await get('/groups/nothing/projects', API), 404, gone);
    });
  });

  describe('callers', () => {
    it('are told who they are, and what answers', async () => {
      for (const path of ['/user', '/version']) {
        assertAnswer(await get(path), 401, UNAUTHORIZED);
        assertAnswer(await get(path, { token: 'nobody' }), 401, UNAUTHORIZED);
        assert.equal((await get(path, { token: TOKENS.badges })).status, 403);
      }
      assertAnswer(await get('/version', { token: TOKENS.read }), 200, { version: pkg.version, revision: 'signalbox' });
      assertAnswer(await get('/user', { token: TOKENS.read }), 200, {
        id: 1,
        username: 'reader',
        name: 'reader',
        state: 'active',
        web_url: `${host.origin}/`,
      });
    });

    it('must be known to write, and have the scope', async () => {
      const { id } = await addProject({ name: 'web', visibility: 'public' });
      await addGroup({ name: 'acme', path: 'acme', visibility: 'public' });
      for (const [method, path] of [
        ['POST', '/projects'],
        ['POST', '/groups'],
        ['PUT', `/projects/${id}`],
        ['PUT', '/groups/acme'],
        ['DELETE', `/projects/${id}`],
        ['DELETE', '/groups/acme'],
      ] as const) {
        const json = { name: 'x', path: 'x' };
        assertAnswer(await send(method, path, { json }), 401, UNAUTHORIZED);
        assertAnswer(await send(method, path, { token: 'nobody', json }), 401, UNAUTHORIZED);
        assert.equal((await send(method, path, { token: TOKENS.read, json })).status, 403);
      }
      assert.equal((await get(`/projects/${id}`)).status, 200);
      assert.equal((await get('/groups/acme')).status, 200);
    });

    it('who may not see an owner get the same answer as for none', async () => {
      const { id } = await addProject({ name: 'hidden' });
      await addGroup({ name: 'hidden', path: 'hidden' });
      const token = TOKENS.acme;
      for (const [path, what] of [
        [`/projects/${id}`, 'Project'],
        ['/projects/maintainer%2Fhidden', 'Project'],
        ['/groups/hidden', 'Group'],
      ] as const) {
        const gone = { message: `404 ${what} Not Found` };
        assertAnswer(await get(path), 404, gone);
        for (const method of ['GET', 'PUT', 'DELETE']) assertAnswer(await send(method, path, { token }), 404, gone);
      }
    });

    it('with a key for some applications write there and nowhere else', async () => {
      const token = TOKENS.acme;
      const forbidden = { message: '403 Forbidden' };
      const open = await addProject({ name: 'open', visibility: 'public' });
      const group = await addGroup({ name: 'else', path: 'else', visibility: 'public' });
      const post = (path: string, json: object) => send('POST', path, { token, json });
      const acme = groupOf(expectStatus(await post('/groups', { name: 'acme', path: 'acme' }), 201));
      assert.equal((await post('/projects', { name: 'web', namespace_id: acme.id })).status, 201);
      assertAnswer(await post('/groups', { name: 'x', path: 'x' }), 403, forbidden);
      assertAnswer(await post('/projects', { name: 'web' }), 403, forbidden);
      assertAnswer(await post('/projects', { name: 'web', namespace_id: group.id }), 403, forbidden);
      assertAnswer(await send('PUT', `/projects/${open.id}`, { token, json: { name: 'x' } }), 403, forbidden);
      assertAnswer(await send('DELETE', '/groups/else', { token }), 403, forbidden);
    });
  });

  it('answers 405 to other methods, and 404 to other paths', async () => {
    for (const [method, path, allow] of [
      ['PUT', '/projects', 'GET, HEAD, POST, OPTIONS'],
      ['DELETE', '/groups', 'GET, HEAD, POST, OPTIONS'],
      ['POST', '/projects/1', 'GET, HEAD, PUT, DELETE, OPTIONS'],
      ['PATCH', '/groups/1', 'GET, HEAD, PUT, DELETE, OPTIONS'],
    ] as const) {
      const reply = await send(method, path, API);
      assertAnswer(reply, 405, { error: '405 Not Allowed' });
      assert.equal(reply.headers.allow, allow);
    }
    for (const path of ['/nothing', '/projects/1/hooks', '/projects/a/b', '/groups/1/badges/1/2'])
      assertAnswer(await get(path, API), 404, { error: '404 Not Found' });
  });

  it('names a namespace after any key', async () => {
    const made = await addProject({ name: 'web' });
    assert.equal(made.namespace.path, 'maintainer');
    await host.close();
    const { addKey, openStorage } = await import('../../lib/storage/index.ts');
    const { digestOf } = await import('../../lib/access/index.ts');
    const url = await freshDatabase();
    const storage = await openStorage(url);
    const key = { name: "-Ann's key!", digest: digestOf('ann'), scopes: ['api'], createdAt: new Date() };
    await addKey(storage.database, key);
    await storage.close();
    host = await startHost(url);
    const json = { name: 'web' };
    assert.equal(
      projectOf(await send('POST', '/projects', { token: 'ann', json })).path_with_namespace,
      'Ann-s-key/web',
    );
  });
});
