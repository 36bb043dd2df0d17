import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { sql } from 'kysely';
import {
  addDefinition,
  addGroup,
  addKey,
  addProject,
  announce,
  applicationOf,
  applicationTopic,
  type Database,
  type DefinitionScope,
  editDefinition,
  editGroup,
  editProject,
  findBuilds,
  findDefinition,
  findGroup,
  findProject,
  firstProjectOf,
  type Group,
  groupsAbove,
  isOrphaned,
  KEPT_BUILDS,
  listDefinitions,
  listGroups,
  listKeys,
  listProjects,
  type Owner,
  openStorage,
  type Paging,
  type Project,
  type ReportedBuild,
  recentChanges,
  removeDefinition,
  removeKey,
  removeOwner,
  type Storage,
  StorageError,
  saveBuild,
} from '../../lib/storage/index.ts';
import { describeOnEach, freshSqlite } from '../definitions-host.ts';
import { makeFolder } from '../folder.ts';

const ALL: Paging = { page: 1, perPage: 100 };
const URLS = { name: null, link_url: 'https://ci.test/', image_url: 'https://ci.test/badge.svg' };

async function groupAt(database: Database, full_path: string, more: Partial<Group> = {}): Promise<Group> {
  const path = full_path.split('/').at(-1) ?? '';
  const group = await addGroup(database, { name: path, path, full_path, visibility: 'public', ...more });
  assert.ok(group, `${full_path} is taken`);
  return group;
}

async function projectAt(database: Database, full_path: string, more: Partial<Project> = {}): Promise<Project> {
  const path = full_path.split('/').at(-1) ?? '';
  const project = await addProject(database, { name: path, path, full_path, visibility: 'public', ...more });
  assert.ok(project, `${full_path} is taken`);
  return project;
}

const pathsOf = ({ items }: { items: readonly { full_path: string }[] }) => items.map(({ full_path }) => full_path);

async function urlsOf(database: Database, scope: DefinitionScope, name?: string): Promise<string[]> {
  const { items } = await listDefinitions(database, scope, name, ALL);
  return items.map(({ image_url }) => image_url);
}

describeOnEach('storage', (fresh) => {
  let url: string;
  let storage: Storage;
  let database: Database;
  beforeEach(async () => {
    url = await fresh();
    storage = await openStorage(url);
    ({ database } = storage);
  });
  afterEach(() => storage.close());

  describe('openStorage', () => {
    it('migrates a fresh database once, however many open it at the same moment', async () => {
      const other = await fresh();
      const opened = await Promise.all(Array.from({ length: 4 }, () => openStorage(other)));
      for (const { database } of opened) assert.deepEqual(await listKeys(database), []);
      const migrations = await sql<{ name: string }>`select name from kysely_migration`.execute(storage.database);
      const seen = await sql<{ name: string }>`select name from kysely_migration`.execute(
        opened[0]?.database ?? database,
      );
      assert.ok(seen.rows.length > 0);
      assert.deepEqual(seen.rows, migrations.rows);
      await Promise.all(opened.map((each) => each.close()));
    });

    it('finds what was kept when it is opened again', async () => {
      const { id } = await groupAt(database, 'acme');
      await storage.close();
      storage = await openStorage(url);
      assert.equal((await findGroup(storage.database, 'acme'))?.id, id);
    });

    it('gives whole numbers for ids and instants', async () => {
      const before = Date.now();
      const { id, created_at } = await groupAt(database, 'acme');
      assert.equal(typeof id, 'number');
      assert.equal(typeof created_at, 'number');
      assert.ok(created_at >= before && created_at <= Date.now());
    });
  });

  describe('ids', () => {
    it('are never given twice, not even after the newest is removed', async () => {
      const ids = new Map<string, number[]>([
        ['groups', []],
        ['projects', []],
        ['badges', []],
      ]);
      for (let round = 0; round < 3; round += 1) {
        const group = await groupAt(database, 'acme');
        const project = await projectAt(database, 'acme/web', { group_id: group.id });
        const badge = await addDefinition(database, { projectId: project.id }, URLS);
        ids.get('groups')?.push(group.id);
        ids.get('projects')?.push(project.id);
        ids.get('badges')?.push(badge.id);
        await removeDefinition(database, { projectId: project.id }, badge.id);
        await removeOwner(database, 'projects', project.id);
        await removeOwner(database, 'groups', group.id);
      }
      for (const [table, given] of ids) {
        assert.equal(new Set(given).size, 3, table);
        assert.deepEqual(
          given,
          given.toSorted((a, b) => a - b),
          table,
        );
      }
    });
  });

  describe('keys', () => {
    const key = { name: 'readme', digest: 'ab'.repeat(32), scopes: ['badges'], createdAt: new Date(5) };

    it('come back as they were kept, oldest first', async () => {
      const limited = {
        name: 'limited',
        digest: 'cd'.repeat(32),
        scopes: ['api', 'push'],
        sources: ['ci'],
        applications: ['acme/*'],
        expiresAt: new Date(1_900_000_000_000),
        createdAt: new Date(3),
      };
      assert.equal(await addKey(database, key), true);
      assert.equal(await addKey(database, limited), true);
      assert.deepEqual(await listKeys(database), [limited, key]);
    });

    it('have one name each', async () => {
      await addKey(database, key);
      assert.equal(await addKey(database, { ...key, digest: 'ef'.repeat(32) }), false);
      assert.deepEqual(await listKeys(database), [key]);
    });

    it('are removed by name, once', async () => {
      await addKey(database, key);
      assert.equal(await removeKey(database, 'other'), false);
      assert.equal(await removeKey(database, 'readme'), true);
      assert.equal(await removeKey(database, 'readme'), false);
      assert.deepEqual(await listKeys(database), []);
    });

    it('are announced when they change, and only then', async () => {
      await addKey(database, key);
      await addKey(database, key);
      await removeKey(database, 'other');
      assert.equal((await recentChanges(database)).get('keys'), 1);
      await removeKey(database, 'readme');
      assert.equal((await recentChanges(database)).get('keys'), 2);
    });
  });

  describe('changes', () => {
    it('count up by topic', async () => {
      await announce(database, 'keys');
      await announce(database, 'keys');
      await announce(database, applicationTopic('ci', 'Acme/Web'));
      const changes = await recentChanges(database);
      assert.equal(changes.get('keys'), 2);
      assert.equal(changes.get(applicationTopic('ci', 'acme/web')), 1);
    });

    it('are counted each, however many are announced at once', async () => {
      await Promise.all(Array.from({ length: 20 }, () => announce(database, 'definitions')));
      assert.equal((await recentChanges(database)).get('definitions'), 20);
    });

    it('are told of for a while', async () => {
      await announce(database, 'keys');
      assert.equal((await recentChanges(database, Date.now() + 50_000)).size, 1);
      assert.equal((await recentChanges(database, Date.now() + 70_000)).size, 0);
    });

    it('name a source and an application, whatever they hold', () => {
      assert.deepEqual(applicationOf(applicationTopic('ci', 'A "b" \\c')), ['ci', 'a "b" \\c']);
      assert.deepEqual(applicationOf(applicationTopic('ci', undefined)), ['ci', undefined]);
      assert.equal(applicationOf('keys'), undefined);
    });
  });

  describe('builds', () => {
    const build: ReportedBuild = { application: 'Acme/Web', build: '1', state: 'running' };
    const find = async (query: Parameters<typeof findBuilds>[1]) =>
      (await Array.fromAsync(findBuilds(database, query))).map(({ build: number }) => number);

    it('come back as they were reported', async () => {
      const whole: ReportedBuild = {
        application: 'Acme/Web',
        build: '7',
        state: 'error',
        status: 'red',
        release: '1.0',
        branch: 'main',
        commit: '0123456789abcdef',
        tag: 'v1',
        variables: { Env: 'Prod' },
        pages: { build: 'https://ci.test/7' },
        startedAt: new Date(1_000),
        finishedAt: new Date(2_000),
      };
      await saveBuild(database, whole);
      const [{ id: _id, ...found } = assert.fail()] = await Array.fromAsync(findBuilds(database, {}));
      assert.deepEqual(found, whole);
    });

    it('leave out what was not reported', async () => {
      await saveBuild(database, build);
      const [{ id: _id, ...found } = assert.fail()] = await Array.fromAsync(findBuilds(database, {}));
      assert.deepEqual(found, build);
    });

    it('take the place of an earlier report of the same build', async () => {
      await saveBuild(database, { ...build, status: 'busy' });
      await saveBuild(database, { ...build, application: 'acme/WEB', state: 'success' });
      const found = await Array.fromAsync(findBuilds(database, { application: 'acme/web' }));
      assert.deepEqual(
        found.map(({ state, status }) => [state, status]),
        [['success', undefined]],
      );
    });

    it('are told apart by branch', async () => {
      await saveBuild(database, { ...build, branch: 'main' });
      await saveBuild(database, { ...build, branch: 'next' });
      assert.equal((await find({})).length, 2);
      assert.equal((await find({ branch: 'next' })).length, 1);
    });

    it('are found by application without regard to case, build, branch and tag, newest first', async () => {
      await saveBuild(database, { ...build, build: '1', branch: 'main' });
      await saveBuild(database, { ...build, build: '2', tag: 'v2' });
      await saveBuild(database, { ...build, build: '3', branch: 'main' });
      await saveBuild(database, { ...build, application: 'other', build: '4', branch: 'main' });
      assert.deepEqual(await find({ application: 'ACME/web' }), ['3', '2', '1']);
      assert.deepEqual(await find({ application: 'acme/web', branch: 'main' }), ['3', '1']);
      assert.deepEqual(await find({ tag: 'v2' }), ['2']);
      assert.deepEqual(await find({ build: '4' }), ['4']);
      assert.deepEqual(await find({ branch: 'MAIN' }), []);
    });

    it(`are kept up to ${KEPT_BUILDS} of an application, and read in pages`, async () => {
      await saveBuild(database, { ...build, build: 'first' });
      await saveBuild(database, { ...build, application: 'other', build: 'untouched' });
      const rows = Array.from({ length: KEPT_BUILDS - 1 }, (_, index) => ({
        application_key: 'acme/web',
        application: 'Acme/Web',
        build: `${index}`,
        release_key: '',
        state: 'success',
      }));
      // SQLite takes so many values at a time.
      for (let start = 0; start < rows.length; start += 500) {
        await database
          .insertInto('builds')
          .values(rows.slice(start, start + 500) as never)
          .execute();
      }
      const before = await find({ application: 'acme/web' });
      assert.equal(before.length, KEPT_BUILDS);
      assert.equal(before.at(-1), 'first');
      await saveBuild(database, { ...build, build: 'last' });
      const kept = await find({ application: 'acme/web' });
      assert.equal(kept.length, KEPT_BUILDS);
      assert.equal(new Set(kept).size, KEPT_BUILDS);
      assert.equal(kept[0], 'last');
      assert.equal(kept.includes('first'), false);
      assert.deepEqual(await find({ application: 'other' }), ['untouched']);
    });
  });

  describe('owners', () => {
    it('are found by id and by path, without regard to case', async () => {
      const group = await groupAt(database, 'Acme');
      const project = await projectAt(database, 'Acme/Web', { group_id: group.id });
      for (const ref of [group.id, 'Acme', 'acme', 'ACME']) assert.deepEqual(await findGroup(database, ref), group);
      for (const ref of [project.id, 'Acme/Web', 'acme/web'])
        assert.deepEqual(await findProject(database, ref), project);
      assert.equal(await findGroup(database, 'acm'), undefined);
      assert.equal(await findGroup(database, 'acme\0'), undefined);
      assert.equal(await findProject(database, 'acme/web\0'), undefined);
      assert.equal(await findProject(database, project.id + 1), undefined);
    });

    it('keep their path to themselves', async () => {
      await groupAt(database, 'acme');
      const again = { name: 'Acme', path: 'ACME', full_path: 'ACME', visibility: 'public' };
      assert.equal(await addGroup(database, again), undefined);
      await projectAt(database, 'acme/web');
      assert.equal(await addProject(database, { ...again, full_path: 'Acme/WEB' }), undefined);
    });

    it('keep what was said of them', async () => {
      const said = {
        description: 'A shop',
        default_branch: 'main',
        commit_sha: 'abc',
        latest_tag: 'v1',
        source: 'ci',
        source_project: 'shop',
      };
      const project = await projectAt(database, 'acme/web', said);
      assert.deepEqual({ ...project, ...said }, project);
      const edited = await editProject(database, project.id, { latest_tag: 'v2', description: null });
      assert.deepEqual(edited, { ...project, latest_tag: 'v2', description: null });
      assert.deepEqual(await findProject(database, project.id), edited);
    });

    it('are edited without a change too, and not when they are gone', async () => {
      const group = await groupAt(database, 'acme');
      assert.deepEqual(await editGroup(database, group.id, {}), group);
      const edited = await editGroup(database, group.id, { name: 'Acme Ltd.', visibility: 'private' });
      assert.deepEqual(edited, { ...group, name: 'Acme Ltd.', visibility: 'private' });
      assert.equal(await editGroup(database, group.id + 1, { name: 'x' }), undefined);
      assert.equal(await editProject(database, 1, { name: 'x' }), undefined);
    });

    it('go with all that is below them', async () => {
      const acme = await groupAt(database, 'acme');
      const inner = await groupAt(database, 'acme/inner', { parent_id: acme.id });
      const project = await projectAt(database, 'acme/inner/web', { group_id: inner.id });
      const other = await projectAt(database, 'other/web');
      await addDefinition(database, { groupId: acme.id }, URLS);
      await addDefinition(database, { projectId: project.id }, URLS);
      await addDefinition(database, { projectId: other.id }, URLS);
      await removeOwner(database, 'groups', acme.id);
      assert.deepEqual(pathsOf(await listGroups(database, {}, ALL)), []);
      assert.deepEqual(pathsOf(await listProjects(database, {}, ALL)), ['other/web']);
      const { rows } = await sql<{ project_id: number }>`select project_id from badges`.execute(database);
      assert.deepEqual(
        rows.map(({ project_id }) => Number(project_id)),
        [other.id],
      );
    });

    it('are listed in pages, projects newest first, groups by path', async () => {
      for (const path of ['b', 'c', 'a']) await groupAt(database, path);
      for (const path of ['x/b', 'x/c', 'x/a']) await projectAt(database, path);
      assert.deepEqual(pathsOf(await listGroups(database, {}, { page: 1, perPage: 2 })), ['a', 'b']);
      assert.deepEqual(pathsOf(await listGroups(database, {}, { page: 2, perPage: 2 })), ['c']);
      const page = await listProjects(database, {}, { page: 1, perPage: 2 });
      assert.deepEqual(pathsOf(page), ['x/a', 'x/c']);
      assert.equal(page.total, 3);
      assert.equal((await listProjects(database, {}, { page: 9, perPage: 2 })).total, 3);
    });

    it('are listed by visibility and by group', async () => {
      const acme = await groupAt(database, 'acme');
      await groupAt(database, 'acme/hidden', { parent_id: acme.id, visibility: 'private' });
      await projectAt(database, 'acme/open', { group_id: acme.id });
      await projectAt(database, 'acme/shut', { group_id: acme.id, visibility: 'private' });
      await projectAt(database, 'else/open');
      const projects = async (filter: Parameters<typeof listProjects>[1]) =>
        pathsOf(await listProjects(database, filter, ALL)).sort();
      assert.deepEqual(await projects({ publicOnly: true }), ['acme/open', 'else/open']);
      assert.deepEqual(await projects({ groupId: acme.id }), ['acme/open', 'acme/shut']);
      assert.deepEqual(await projects({ groupId: acme.id, publicOnly: true }), ['acme/open']);
      assert.deepEqual(pathsOf(await listGroups(database, { publicOnly: true }, ALL)), ['acme']);
      assert.deepEqual(pathsOf(await listGroups(database, { groupId: acme.id }, ALL)), ['acme/hidden']);
    });

    const searches: readonly [string, readonly string[]][] = [
      ['web', ['acme/web']],
      ['WEB', ['acme/web']],
      ['cme/we', ['acme/web']],
      ['shop', ['acme/store']],
      ['Über', ['acme/plain']],
      ['100%', ['acme/whole']],
      ["o'h", ['acme/quote']],
      ['nothing', []],
    ];
    for (const [search, wanted] of searches) {
      it(`are found by \`${search}\` in path or name`, async () => {
        await projectAt(database, 'acme/web');
        await projectAt(database, 'acme/store', { name: 'The Shop' });
        await projectAt(database, 'acme/plain', { name: 'Überblick' });
        await projectAt(database, 'acme/whole', { name: '100% pure' });
        await projectAt(database, 'acme/quote', { name: "O'Hara" });
        assert.deepEqual(pathsOf(await listProjects(database, { search }, ALL)), wanted);
      });
    }

    it('lie in the groups above them, outermost first', async () => {
      for (const path of ['A', 'A/b', 'A/b/c', 'A/b-2', 'b']) await groupAt(database, path);
      const above = async (path: string) => (await groupsAbove(database, path)).map(({ full_path }) => full_path);
      assert.deepEqual(await above('a/B/c/web'), ['A', 'A/b', 'A/b/c']);
      assert.deepEqual(await above('A/b'), ['A']);
      assert.deepEqual(await above('web'), []);
    });

    it('have a first project, by creation, that the asker may see', async () => {
      const { id } = await groupAt(database, 'acme');
      assert.equal(await firstProjectOf(database, id, false), undefined);
      await projectAt(database, 'acme/first', { group_id: id, visibility: 'private' });
      await projectAt(database, 'acme/second', { group_id: id });
      await projectAt(database, 'acme/third', { group_id: id });
      assert.equal((await firstProjectOf(database, id, false))?.path, 'first');
      assert.equal((await firstProjectOf(database, id, true))?.path, 'second');
    });
  });

  describe('definitions', () => {
    let group: Group;
    let project: Project;
    let owner: Owner;
    beforeEach(async () => {
      group = await groupAt(database, 'acme');
      project = await projectAt(database, 'acme/web', { group_id: group.id });
      owner = { projectId: project.id };
    });

    it('come back as they were added', async () => {
      const before = Date.now();
      const added = await addDefinition(database, owner, { ...URLS, name: 'Coverage' });
      const { created_at, updated_at, id, ...rest } = added;
      assert.deepEqual(rest, { ...URLS, name: 'Coverage', project_id: project.id, group_id: null });
      assert.ok(created_at >= before && created_at <= Date.now());
      assert.equal(updated_at, created_at);
      assert.deepEqual(await findDefinition(database, owner, id), added);
    });

    it('belong to their owner alone', async () => {
      const other = await projectAt(database, 'acme/other', { group_id: group.id });
      const { id } = await addDefinition(database, owner, URLS);
      for (const stranger of [{ projectId: other.id }, { groupId: group.id }]) {
        assert.equal(await findDefinition(database, stranger, id), undefined);
        assert.equal(await editDefinition(database, stranger, id, { name: 'x' }), undefined);
        assert.equal(await removeDefinition(database, stranger, id), false);
      }
      assert.equal((await findDefinition(database, owner, id))?.name, null);
    });

    it('are listed in the order in which they were added, those of a project and of its groups together', async () => {
      await addDefinition(database, owner, { ...URLS, image_url: '1' });
      await addDefinition(database, { groupId: group.id }, { ...URLS, image_url: '2' });
      await addDefinition(database, owner, { ...URLS, image_url: '3' });
      assert.deepEqual(await urlsOf(database, { projectId: project.id, groupIds: [group.id] }), ['1', '2', '3']);
      assert.deepEqual(await urlsOf(database, { projectId: project.id, groupIds: [] }), ['1', '3']);
      assert.deepEqual(await urlsOf(database, { groupIds: [group.id] }), ['2']);
      assert.deepEqual(await urlsOf(database, { groupIds: [] }), []);
    });

    it('are ordered by the moment of their making before their id', async () => {
      await addDefinition(database, owner, { ...URLS, image_url: 'later' });
      const { id } = await addDefinition(database, owner, { ...URLS, image_url: 'earlier' });
      await database.updateTable('badges').set({ created_at: 1 }).where('id', '=', id).execute();
      assert.deepEqual(await urlsOf(database, { projectId: project.id, groupIds: [] }), ['earlier', 'later']);
    });

    it('are ordered by id where they were added at the same moment', async () => {
      for (const image_url of ['1', '2', '3']) await addDefinition(database, owner, { ...URLS, image_url });
      await database.updateTable('badges').set({ created_at: 1 }).execute();
      assert.deepEqual(await urlsOf(database, { projectId: project.id, groupIds: [] }), ['1', '2', '3']);
    });

    it('are filtered by their exact name', async () => {
      for (const name of ['Coverage', 'coverage', '', null]) {
        await addDefinition(database, owner, { ...URLS, name, image_url: `${name}` });
      }
      const scope = { projectId: project.id, groupIds: [] };
      assert.deepEqual(await urlsOf(database, scope, 'Coverage'), ['Coverage']);
      assert.deepEqual(await urlsOf(database, scope, ''), ['']);
      assert.deepEqual(await urlsOf(database, scope, 'Cov'), []);
    });

    it('are counted on every page', async () => {
      for (let count = 0; count < 5; count += 1) await addDefinition(database, owner, URLS);
      const scope = { projectId: project.id, groupIds: [] };
      const page = async (number: number, perPage: number) => {
        const { items, total } = await listDefinitions(database, scope, undefined, { page: number, perPage });
        return [items.length, total];
      };
      assert.deepEqual(await page(1, 2), [2, 5]);
      assert.deepEqual(await page(3, 2), [1, 5]);
      assert.deepEqual(await page(4, 2), [0, 5]);
      assert.deepEqual(await page(1, 5), [5, 5]);
      assert.deepEqual(await page(2, 5), [0, 5]);
      assert.deepEqual(await page(1, 20), [5, 5]);
      await removeOwner(database, 'projects', project.id);
      assert.deepEqual(await page(1, 2), [0, 0]);
    });

    it('keep their place and what is not said when they are edited', async () => {
      const first = await addDefinition(database, owner, { ...URLS, name: 'first' });
      await addDefinition(database, owner, { ...URLS, image_url: 'second' });
      const edited = await editDefinition(database, owner, first.id, { image_url: 'edited' });
      assert.ok(edited && edited.updated_at >= first.updated_at);
      assert.deepEqual({ ...edited, updated_at: 0 }, { ...first, image_url: 'edited', updated_at: 0 });
      assert.deepEqual(await urlsOf(database, { projectId: project.id, groupIds: [] }), ['edited', 'second']);
    });

    it('stay as they are when nothing is to be changed', async () => {
      const added = await addDefinition(database, owner, URLS);
      assert.deepEqual(await editDefinition(database, owner, added.id, {}), added);
    });

    it('are removed once', async () => {
      const { id } = await addDefinition(database, owner, URLS);
      assert.equal(await removeDefinition(database, owner, id), true);
      assert.equal(await removeDefinition(database, owner, id), false);
      assert.equal(await findDefinition(database, owner, id), undefined);
    });

    it('cannot be added to an owner that is gone, and the error says so', async () => {
      await removeOwner(database, 'projects', project.id);
      const error = await addDefinition(database, owner, URLS).catch((reason: unknown) => reason);
      assert.equal(isOrphaned(error), true);
      assert.equal(isOrphaned(new Error('something else')), false);
    });

    it('hold any text', async () => {
      const image_url = `https://ci.test/ä/${'x'.repeat(8_000)}?q='"\\;--%_\u{1F600}`;
      const { id } = await addDefinition(database, owner, { ...URLS, name: 'Ünï\u{1F600}', image_url });
      const found = await findDefinition(database, owner, id);
      assert.deepEqual([found?.name, found?.image_url], ['Ünï\u{1F600}', image_url]);
    });
  });
});

describe('openStorage', () => {
  const fresh = freshSqlite();

  it('keeps SQLite safe against a crash: WAL, every commit on the disk, foreign keys', async () => {
    const storage = await openStorage(await fresh());
    const pragma = async (name: string) => {
      const { rows } = await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(storage.database);
      return Object.values(rows[0] ?? {})[0];
    };
    assert.equal(await pragma('journal_mode'), 'wal');
    assert.equal(await pragma('synchronous'), 2);
    assert.equal(await pragma('foreign_keys'), 1);
    await storage.close();
  });

  it('makes the folder of a file, and needs none for memory', async () => {
    const path = (await fresh()).replace('test.db', 'a/b/c.db');
    for (const url of [path, 'sqlite::memory:']) {
      const storage = await openStorage(url);
      assert.deepEqual(await listKeys(storage.database), []);
      await storage.close();
    }
  });

  it('ends, and says why, where the working directory was removed', () => {
    const folder = makeFolder();
    const gone = makeFolder();
    const script = folder.write(
      'open.ts',
      `import { openStorage } from ${JSON.stringify(resolve('lib/storage/index.ts'))};
       await openStorage('sqlite:./data/signalbox.db').catch(({ name, message }) => console.log(name, message));`,
    );
    const remove = ['-c', 'rmdir "$1" && exec "$2" "$3"', 'sh', gone.path, process.execPath, script];
    const { signal, stdout } = spawnSync('/bin/sh', remove, { cwd: gone.path, encoding: 'utf8', timeout: 8_000 });
    folder.remove();
    assert.equal(signal, null, 'it had to be killed');
    assert.match(stdout, /^StorageError the database sqlite:\.\/data\/signalbox\.db cannot be used: ENOENT/);
  });

  it('says which addresses it takes', async () => {
    for (const url of ['mysql://root@127.0.0.1/x', './data.db', '']) {
      await assert.rejects(openStorage(url), { name: 'StorageError', message: /`sqlite:<path>` or `postgres:/ });
    }
  });

  it('names the server that it cannot use, never the password', async () => {
    const refused = await openStorage('postgres://alice:s3cret@127.0.0.1:1/x').catch((error: unknown) => error);
    assert.ok(refused instanceof StorageError);
    assert.match(refused.message, /postgres at 127\.0\.0\.1:1 cannot be used/);
    assert.doesNotMatch(refused.message, /s3cret/);
  });

  it('names the file that it cannot use', async () => {
    const url = (await fresh()).replace('/test.db', '');
    await assert.rejects(openStorage(url), {
      name: 'StorageError',
      message: /^the database sqlite:.* cannot be used: /,
    });
  });
});
