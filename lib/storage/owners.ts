import type { Selectable } from 'kysely';
import { announce } from './changes.ts';
import type { Database } from './database.ts';
import { readRows } from './read.ts';
import type { GroupRow, ProjectRow } from './tables.ts';

export const VISIBILITIES = ['private', 'public'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

export type Group = Selectable<GroupRow>;
export type Project = Selectable<ProjectRow>;

/** A page of a list and how long the whole is. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly total: number;
}

/** Which part of a list is wanted; `page` counts from 1. */
export interface Paging {
  readonly page: number;
  readonly perPage: number;
}

export interface OwnerFilter {
  /** A part of name or path, without regard to case. */
  readonly search?: string;
  /** Only those that everybody may see. */
  readonly publicOnly?: boolean;
  readonly groupId?: number;
}

/** What may be given of a project; a new one has at least `name`, `path` and `full_path`. */
export type ProjectChange = Partial<Omit<Project, 'id' | 'created_at' | 'full_path_key'>>;
export type GroupChange = Partial<Omit<Group, 'id' | 'created_at' | 'full_path_key'>>;
type Named = 'name' | 'path' | 'full_path' | 'visibility';

/** The project of an id or a full path, which is compared without regard to case. */
export async function findProject(database: Database, ref: number | string): Promise<Project | undefined> {
  if (!canBeHeld(ref)) return undefined;
  const [column, value] = keyOf(ref);
  const [found] = await readRows<Project>(database, `project by ${column}`, [value], () =>
    database.selectFrom('projects').selectAll().where(column, '=', value),
  );
  return found;
}

export async function findGroup(database: Database, ref: number | string): Promise<Group | undefined> {
  if (!canBeHeld(ref)) return undefined;
  const [column, value] = keyOf(ref);
  const [found] = await readRows<Group>(database, `group by ${column}`, [value], () =>
    database.selectFrom('groups').selectAll().where(column, '=', value),
  );
  return found;
}

/** What a project or a group is found by. */
function keyOf(ref: number | string): ['id' | 'full_path_key', number | string] {
  return typeof ref === 'number' ? ['id', ref] : ['full_path_key', ref.toLowerCase()];
}

export async function listProjects(
  database: Database,
  filter: OwnerFilter,
  { page, perPage }: Paging,
): Promise<Page<Project>> {
  let select = database.selectFrom('projects');
  if (filter.publicOnly) select = select.where('visibility', '=', 'public');
  if (filter.groupId !== undefined) select = select.where('group_id', '=', filter.groupId);
  if (filter.search) {
    const pattern = contains(filter.search);
    select = select.where((where) =>
      where.or([where('full_path_key', 'like', pattern), where(where.fn('lower', ['name']), 'like', pattern)]),
    );
  }
  const items = await select
    .selectAll()
    .orderBy('id', 'desc')
    .limit(perPage)
    .offset((page - 1) * perPage)
    .execute();
  const { total } = await select.select((of) => of.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  return { items, total: Number(total) };
}

export async function listGroups(
  database: Database,
  filter: OwnerFilter,
  { page, perPage }: Paging,
): Promise<Page<Group>> {
  let select = database.selectFrom('groups');
  if (filter.publicOnly) select = select.where('visibility', '=', 'public');
  if (filter.groupId !== undefined) select = select.where('parent_id', '=', filter.groupId);
  if (filter.search) {
    const pattern = contains(filter.search);
    select = select.where((where) =>
      where.or([where('full_path_key', 'like', pattern), where(where.fn('lower', ['name']), 'like', pattern)]),
    );
  }
  const items = await select
    .selectAll()
    .orderBy('full_path_key')
    .limit(perPage)
    .offset((page - 1) * perPage)
    .execute();
  const { total } = await select.select((of) => of.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  return { items, total: Number(total) };
}

/** Keeps a new project; `undefined` when its full path is taken. */
export async function addProject(
  database: Database,
  project: ProjectChange & Pick<Project, Named>,
): Promise<Project | undefined> {
  return database
    .insertInto('projects')
    .values({ ...project, full_path_key: project.full_path.toLowerCase(), created_at: Date.now() } as Project)
    .onConflict((conflict) => conflict.column('full_path_key').doNothing())
    .returningAll()
    .executeTakeFirst();
}

/** Keeps a new group; `undefined` when its full path is taken. */
export async function addGroup(
  database: Database,
  group: GroupChange & Pick<Group, Named>,
): Promise<Group | undefined> {
  return database
    .insertInto('groups')
    .values({ ...group, full_path_key: group.full_path.toLowerCase(), created_at: Date.now() } as Group)
    .onConflict((conflict) => conflict.column('full_path_key').doNothing())
    .returningAll()
    .executeTakeFirst();
}

/** Changes a project; `undefined` when it is gone. */
export async function editProject(database: Database, id: number, change: ProjectChange): Promise<Project | undefined> {
  if (Object.keys(change).length > 0) {
    await database.updateTable('projects').set(change).where('id', '=', id).execute();
    await announce(database, 'definitions');
  }
  return findProject(database, id);
}

/** Changes what is said of a group; its path stays, for the paths of all below it hold it. */
export async function editGroup(
  database: Database,
  id: number,
  change: Pick<GroupChange, 'name' | 'description' | 'visibility'>,
): Promise<Group | undefined> {
  if (Object.keys(change).length > 0) {
    await database.updateTable('groups').set(change).where('id', '=', id).execute();
    await announce(database, 'definitions');
  }
  return findGroup(database, id);
}

/** Removes a project or a group with all that is below it. */
export async function removeOwner(database: Database, table: 'projects' | 'groups', id: number): Promise<void> {
  await database.deleteFrom(table).where('id', '=', id).execute();
  await announce(database, 'definitions');
}

/** The groups that hold a project or group of that path, outermost first: `a/b/c` lies in `a` and `a/b`. */
export async function groupsAbove(database: Database, fullPath: string): Promise<readonly Group[]> {
  const parts = fullPath.toLowerCase().split('/').slice(0, -1);
  if (parts.length === 0) return [];
  const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  return readRows<Group>(database, `groups above ${paths.length}`, paths, () =>
    database.selectFrom('groups').selectAll().where('full_path_key', 'in', paths).orderBy('full_path_key'),
  );
}

/** The first project of a group, by creation: the one that stands for it where a group's badges are rendered. */
export async function firstProjectOf(
  database: Database,
  groupId: number,
  publicOnly: boolean,
): Promise<Project | undefined> {
  let select = database.selectFrom('projects').selectAll().where('group_id', '=', groupId);
  if (publicOnly) select = select.where('visibility', '=', 'public');
  return select.orderBy('created_at').orderBy('id').limit(1).executeTakeFirst();
}

/** PostgreSQL takes no text with a zero character, not even to compare. */
function canBeHeld(ref: number | string): boolean {
  return typeof ref === 'number' || !ref.includes('\0');
}

/**
 * A pattern of LIKE for texts that hold another. Its own signs, and letters beyond ASCII, which not every database turns
 * into lower case, stand for any character: that finds too much, never too little.
 */
function contains(text: string): string {
  return `%${text.replace(/[%_\\]|[^\0-\x7f]/gu, '_').toLowerCase()}%`;
}
