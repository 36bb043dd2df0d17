import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parse } from 'yaml';
import { exportDefinitions, importDefinitions } from '../../lib/definitions/index.ts';
import {
  addDefinition,
  addProject,
  type Database,
  findGroup,
  findProject,
  listDefinitions,
  openStorage,
  type Storage,
} from '../../lib/storage/index.ts';
import { describeOnEach, freshSqlite } from '../definitions-host.ts';

const WHOLE = `
groups:
  acme:
    title: Acme Ltd.
    description: Everything
    visibility: public
    badges:
      - name: Pipeline
        link_url: https://ci.test/%{project_path}
        image_url: https://ci.test/%{project_path}.svg
  acme/shop:
    visibility: private
    badges: []
projects:
  acme/shop/web:
    title: The Web
    description: |-
      One line,
      another
    visibility: public
    source: forge
    source_project: shop-web
    badges:
      - name: Coverage
        link_url: https://ci.test/cover
        image_url: https://ci.test/cover.svg
      - link_url: https://ci.test/plain
        image_url: https://ci.test/plain.svg
  acme/tool:
    visibility: private
    default_branch: trunk
    commit_sha: abc
    latest_tag: v1
    badges: []
`;

const LINES = [
  '+ group acme',
  '+ group acme/shop',
  '+ badge Pipeline of group acme',
  '+ project acme/shop/web',
  '+ badge Coverage of project acme/shop/web',
  '+ badge https://ci.test/plain.svg of project acme/shop/web',
  '+ project acme/tool',
];

/** A file with one project and these badges. */
const withBadges = (...badges: readonly object[]) => JSON.stringify({ projects: { 'acme/web': { badges } } });
const badge = (image: string, name?: string) => ({
  ...(name !== undefined && { name }),
  link_url: `https://ci.test/${image}`,
  image_url: `https://ci.test/${image}.svg`,
});

async function badgesAt(database: Database, path: string) {
  const project = await findProject(database, path);
  const scope = { projectId: project?.id ?? assert.fail(`${path} is gone`), groupIds: [] };
  return (await listDefinitions(database, scope, undefined, { page: 1, perPage: 100 })).items;
}

const imagesAt = async (database: Database, path: string) =>
  (await badgesAt(database, path)).map(({ name, image_url }) => [name, image_url.replace('https://ci.test/', '')]);

describeOnEach('definitions as YAML', (fresh) => {
  let storage: Storage;
  let database: Database;
  beforeEach(async () => {
    storage = await openStorage(await fresh());
    ({ database } = storage);
  });
  afterEach(() => storage.close());

  describe('importDefinitions', () => {
    it('makes what is not there, and says so', async () => {
      assert.deepEqual(await importDefinitions(database, WHOLE), LINES);
      const web = await findProject(database, 'acme/shop/web');
      const shop = await findGroup(database, 'acme/shop');
      assert.equal(web?.name, 'The Web');
      assert.equal(web?.visibility, 'public');
      assert.equal(web?.group_id, shop?.id);
      assert.equal(shop?.parent_id, (await findGroup(database, 'acme'))?.id);
      assert.deepEqual(await imagesAt(database, 'acme/shop/web'), [
        ['Coverage', 'cover.svg'],
        [null, 'plain.svg'],
      ]);
    });

    it('changes nothing when it is run again', async () => {
      await importDefinitions(database, WHOLE);
      const before = await badgesAt(database, 'acme/shop/web');
      assert.deepEqual(await importDefinitions(database, WHOLE), []);
      assert.deepEqual(await importDefinitions(database, WHOLE, { prune: true }), []);
      assert.deepEqual(await badgesAt(database, 'acme/shop/web'), before);
    });

    it('says without doing what it would do, in the same words', async () => {
      const before = await exportDefinitions(database);
      assert.deepEqual(await importDefinitions(database, WHOLE, { dryRun: true }), LINES);
      assert.equal(await exportDefinitions(database), before);
      await importDefinitions(database, WHOLE);
      const after = await exportDefinitions(database);
      const would = await importDefinitions(database, '{}', { dryRun: true, prune: true });
      assert.equal(await exportDefinitions(database), after);
      assert.deepEqual(await importDefinitions(database, '{}', { prune: true }), would);
    });

    it('makes groups for the projects in them, private ones', async () => {
      const lines = await importDefinitions(database, 'projects: { a/b/web: {}, a/b/api: {} }');
      assert.deepEqual(lines, ['+ group a', '+ group a/b', '+ project a/b/web', '+ project a/b/api']);
      assert.equal((await findGroup(database, 'a/b'))?.visibility, 'private');
      assert.equal((await findProject(database, 'a/b/web'))?.visibility, 'private');
    });

    it('makes groups in the order in which they lie in each other', async () => {
      await importDefinitions(database, 'groups: { a/b/c: {}, a/b: {}, a: {} }');
      const inner = await findGroup(database, 'a/b/c');
      assert.equal(inner?.parent_id, (await findGroup(database, 'a/b'))?.id);
    });

    it('changes what differs, and names it', async () => {
      await importDefinitions(database, WHOLE);
      const changed = WHOLE.replace('Acme Ltd.', 'Acme').replace('shop-web', 'web').replace('cover.svg', 'new.svg');
      assert.deepEqual(await importDefinitions(database, changed), [
        '~ group acme: name',
        '~ project acme/shop/web: source_project',
        '~ badge Coverage of project acme/shop/web',
      ]);
      assert.equal((await findGroup(database, 'acme'))?.name, 'Acme');
      assert.equal((await findProject(database, 'acme/shop/web'))?.source_project, 'web');
      assert.deepEqual(await imagesAt(database, 'acme/shop/web'), [
        ['Coverage', 'new.svg'],
        [null, 'plain.svg'],
      ]);
    });

    it('keeps what the file does not say', async () => {
      await importDefinitions(database, WHOLE);
      const before = await exportDefinitions(database);
      const silent = 'groups: { acme: {} }\nprojects: { acme/shop/web: {}, acme/tool: {} }';
      assert.deepEqual(await importDefinitions(database, silent), []);
      assert.equal(await exportDefinitions(database), before);
    });

    it('keeps the id and the place of a badge that it changes', async () => {
      await importDefinitions(database, withBadges(badge('1', 'a'), badge('2', 'b')));
      const [first] = await badgesAt(database, 'acme/web');
      await importDefinitions(database, withBadges(badge('changed', 'a'), badge('2', 'b')));
      const [changed] = await badgesAt(database, 'acme/web');
      assert.equal(changed?.id, first?.id);
      assert.equal(changed?.image_url, 'https://ci.test/changed.svg');
    });

    it('takes badges of one name for as many as there are', async () => {
      const file = withBadges(badge('1', 'same'), badge('2', 'same'), badge('3'), badge('3'));
      assert.equal((await importDefinitions(database, file)).filter((line) => line.startsWith('+ badge')).length, 4);
      assert.deepEqual(await importDefinitions(database, file), []);
      const fewer = withBadges(badge('1', 'same'), badge('3'));
      assert.deepEqual(await importDefinitions(database, fewer), []);
      assert.deepEqual(await importDefinitions(database, fewer, { prune: true }), [
        '- badge same of project acme/web',
        '- badge https://ci.test/3.svg of project acme/web',
      ]);
    });

    it('does not take a badge without a name for one with a name', async () => {
      await importDefinitions(database, withBadges(badge('1', 'named')));
      assert.deepEqual(await importDefinitions(database, withBadges(badge('1'))), [
        '+ badge https://ci.test/1.svg of project acme/web',
      ]);
    });

    it('removes what the file does not name only when it is told to', async () => {
      await importDefinitions(database, WHOLE);
      const rest = `
groups: { acme: { title: Acme Ltd. } }
projects: { acme/shop/web: { badges: [{ name: Coverage, link_url: https://ci.test/cover, image_url: https://ci.test/cover.svg }] } }
`;
      const before = await exportDefinitions(database);
      assert.deepEqual(await importDefinitions(database, rest), []);
      assert.equal(await exportDefinitions(database), before);
      assert.deepEqual(await importDefinitions(database, rest, { prune: true }), [
        '- badge Pipeline of group acme',
        '- badge https://ci.test/plain.svg of project acme/shop/web',
        '- project acme/tool',
      ]);
      const { groups, projects } = parse(await exportDefinitions(database));
      assert.deepEqual(Object.keys(groups), ['acme', 'acme/shop']);
      assert.deepEqual(Object.keys(projects), ['acme/shop/web']);
    });

    it('removes everything for an empty file that is to prune', async () => {
      await importDefinitions(database, WHOLE);
      const lines = await importDefinitions(database, '', { prune: true });
      assert.deepEqual(lines.toSorted(), [
        '- group acme',
        '- group acme/shop',
        '- project acme/shop/web',
        '- project acme/tool',
      ]);
      assert.deepEqual(parse(await exportDefinitions(database)), { groups: {}, projects: {} });
    });

    it('finds owners without regard to case, also when it prunes', async () => {
      await importDefinitions(database, 'projects: { acme/web: {} }');
      const lines = await importDefinitions(database, 'projects: { Acme/Web: {} }', { prune: true });
      assert.deepEqual(lines, []);
      assert.ok(await findProject(database, 'acme/web'));
    });

    it('makes no group for a project that lies in none', async () => {
      const texts = { name: 'web', path: 'web', full_path: 'alice/web', visibility: 'public' };
      await addProject(database, texts);
      const file = await exportDefinitions(database);
      assert.deepEqual(await importDefinitions(database, file, { prune: true }), []);
      assert.equal(await findGroup(database, 'alice'), undefined);
    });

    it('stores URLs without the blanks around them', async () => {
      const file = withBadges({ link_url: ' https://ci.test/1 ', image_url: 'https://ci.test/1.svg\n' });
      await importDefinitions(database, file);
      assert.deepEqual(await imagesAt(database, 'acme/web'), [[null, '1.svg']]);
      assert.deepEqual(await importDefinitions(database, file), []);
    });

    const refused: readonly (readonly [why: string, text: string, message: RegExp])[] = [
      ['what is no YAML', 'projects: [', /^the definitions are no YAML: /],
      ['a text', 'hello', /expected object/],
      ['a list', '[]', /expected object/],
      ['an unknown place', 'project: {}', /Unrecognized key: "project"/],
      ['an unknown option', 'projects: { acme/web: { titel: x } }', /^projects\.acme\/web: .*"titel"/],
      ['a source of a group', 'groups: { acme: { source: x } }', /^groups\.acme: .*"source"/],
      ['another visibility', 'groups: { acme: { visibility: internal } }', /^groups\.acme\.visibility: /],
      ['a path that is none', 'groups: { a b: {} }', /^groups\.a b: is no path/],
      ['a path that climbs', 'projects: { a/../b: {} }', /^projects\.a\/\.\.\/b: is no path/],
      ['a project in no group', 'projects: { web: {} }', /^projects\.web: is no path/],
      [
        'a badge without an image',
        'groups: { a: { badges: [{ link_url: "https://ci.test" }] } }',
        /badges\.0\.image_url: /,
      ],
      [
        'a bad URL, by its place',
        withBadges(badge('1'), { link_url: 'javascript:alert(1)', image_url: 'https://%{gitlab_server}/' }),
        /^projects\.acme\/web\.badges\.1\.link_url: is blocked: Only allowed schemes are http, https\nprojects\.acme\/web\.badges\.1\.image_url: is blocked: URI is invalid$/,
      ],
    ];
    for (const [why, text, message] of refused) {
      it(`refuses ${why}, and does nothing`, async () => {
        await importDefinitions(database, withBadges(badge('1')));
        const before = await exportDefinitions(database);
        await assert.rejects(importDefinitions(database, text, { prune: true }), { name: 'ExchangeError', message });
        assert.equal(await exportDefinitions(database), before);
      });
    }
  });

  describe('exportDefinitions', () => {
    it('gives an empty file of an empty database', async () => {
      assert.deepEqual(parse(await exportDefinitions(database)), { groups: {}, projects: {} });
    });

    it('says all that was imported, and no more', async () => {
      await importDefinitions(database, WHOLE);
      assert.deepEqual(parse(await exportDefinitions(database)), parse(WHOLE));
    });

    it('gives what changes nothing where it comes from, and makes the same elsewhere', async () => {
      await importDefinitions(database, WHOLE);
      const text = await exportDefinitions(database);
      assert.deepEqual(await importDefinitions(database, text, { prune: true }), []);
      const other = await openStorage(await fresh());
      assert.equal((await importDefinitions(other.database, text)).length, LINES.length);
      assert.equal(await exportDefinitions(other.database), text);
      await other.close();
    });

    it('gives more than one page of owners and badges', async () => {
      const projects = Array.from({ length: 130 }, (_, index) => [`acme/p${index}`, { visibility: 'public' }]);
      const badges = Array.from({ length: 130 }, (_, index) => badge(`${index}`));
      const file = { groups: { acme: { badges } }, projects: Object.fromEntries(projects) };
      await importDefinitions(database, JSON.stringify(file));
      const exported = parse(await exportDefinitions(database));
      assert.equal(Object.keys(exported.projects).length, 130);
      assert.deepEqual(exported.groups.acme.badges, badges);
    });
  });
});

describe('definitions as YAML', () => {
  const fresh = freshSqlite();

  it('keep every name, whatever YAML makes of such a text', async () => {
    const { database, close } = await openStorage(await fresh());
    const project = await addProject(database, {
      name: 'web',
      path: 'web',
      full_path: 'acme/web',
      visibility: 'public',
    });
    assert.ok(project);
    const owner = { projectId: project.id };
    const names = fc.oneof(
      fc.constantFrom(
        '',
        'null',
        '~',
        'yes',
        '1e3',
        '2020-01-01',
        '- x',
        'a: b',
        '"',
        "'",
        '#',
        '|',
        ' x ',
        'a\nb',
        '\t',
      ),
      fc.string({ maxLength: 200 }),
    );
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        await database.deleteFrom('badges').execute();
        await addDefinition(database, owner, { name, link_url: 'https://ci.test/a b', image_url: 'https://ci.test/ä' });
        const text = await exportDefinitions(database);
        assert.equal(parse(text).projects['acme/web'].badges[0].name, name);
        assert.deepEqual(await importDefinitions(database, text, { prune: true }), []);
      }),
      { numRuns: 40 },
    );
    await close();
  });
});
