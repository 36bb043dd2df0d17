import type { Selectable } from 'kysely';
import { announce } from './changes.ts';
import type { Database } from './database.ts';
import type { Page, Paging } from './owners.ts';
import { readRows } from './read.ts';
import type { BadgeRow } from './tables.ts';

export type Definition = Selectable<BadgeRow>;

/** Whose definitions are meant: a project's own, or a group's own. */
export type Owner = { readonly projectId: number } | { readonly groupId: number };

/** The definitions of a list: a project's own with those of the groups above it, or a group's own. */
export interface DefinitionScope {
  readonly projectId?: number;
  readonly groupIds: readonly number[];
}

export type DefinitionChange = Partial<Pick<Definition, 'name' | 'link_url' | 'image_url'>>;

/** In the order in which they were added; `name` is compared exactly. */
export async function listDefinitions(
  database: Database,
  scope: DefinitionScope,
  name: string | undefined,
  { page, perPage }: Paging,
): Promise<Page<Definition>> {
  const select = () => selectDefinitions(database, scope, name);
  const { projectId, groupIds } = scope;
  const owners = [...(projectId === undefined ? [] : [projectId]), ...groupIds, ...(name === undefined ? [] : [name])];
  const shape = `definitions ${projectId === undefined ? 0 : 1} ${groupIds.length} ${name === undefined ? 0 : 1}`;
  const offset = (page - 1) * perPage;
  // One more than is shown: a page that is not full is the last, and what comes before it is known without counting.
  const rows = await readRows<Definition>(database, shape, [...owners, perPage + 1, offset], () =>
    select()
      .selectAll()
      .orderBy('created_at')
      .orderBy('id')
      .limit(perPage + 1)
      .offset(offset),
  );
  const items = rows.slice(0, perPage);
  if (rows.length <= perPage && (rows.length > 0 || page === 1)) return { items, total: offset + rows.length };
  const [count] = await readRows(database, `count of ${shape}`, owners, () =>
    select().select((of) => of.fn.countAll<number>().as('total')),
  );
  return { items, total: Number(count?.total ?? 0) };
}

function selectDefinitions(database: Database, scope: DefinitionScope, name: string | undefined) {
  const select = database
    .selectFrom('badges')
    .where((where) =>
      where.or([
        ...(scope.projectId === undefined ? [] : [where('project_id', '=', scope.projectId)]),
        ...(scope.groupIds.length === 0 ? [] : [where('group_id', 'in', [...scope.groupIds])]),
      ]),
    );
  return name === undefined ? select : select.where('name', '=', name);
}

/** A definition of that owner; of `scope` where inherited ones count. */
export async function findDefinition(database: Database, owner: Owner, id: number): Promise<Definition | undefined> {
  const [column, , ownerId] = ownerIs(owner);
  const [found] = await readRows<Definition>(database, `definition of ${column}`, [id, ownerId], () =>
    database
      .selectFrom('badges')
      .selectAll()
      .where('id', '=', id)
      .where(...ownerIs(owner)),
  );
  return found;
}

export async function addDefinition(
  database: Database,
  owner: Owner,
  definition: Pick<Definition, 'name' | 'link_url' | 'image_url'>,
): Promise<Definition> {
  const now = Date.now();
  return database
    .insertInto('badges')
    .values({
      project_id: 'projectId' in owner ? owner.projectId : null,
      group_id: 'groupId' in owner ? owner.groupId : null,
      ...definition,
      created_at: now,
      updated_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Changes what is given; `undefined` when the definition is gone. */
export async function editDefinition(
  database: Database,
  owner: Owner,
  id: number,
  change: DefinitionChange,
): Promise<Definition | undefined> {
  if (Object.keys(change).length === 0) return findDefinition(database, owner, id);
  const edited = await database
    .updateTable('badges')
    .set({ ...change, updated_at: Date.now() })
    .where('id', '=', id)
    .where(...ownerIs(owner))
    .returningAll()
    .executeTakeFirst();
  await announce(database, 'definitions');
  return edited;
}

/** Removes a definition; `false` when there is none. */
export async function removeDefinition(database: Database, owner: Owner, id: number): Promise<boolean> {
  const { numDeletedRows } = await database
    .deleteFrom('badges')
    .where('id', '=', id)
    .where(...ownerIs(owner))
    .executeTakeFirst();
  if (numDeletedRows > 0n) await announce(database, 'definitions');
  return numDeletedRows > 0n;
}

function ownerIs(owner: Owner): ['project_id' | 'group_id', '=', number] {
  return 'projectId' in owner ? ['project_id', '=', owner.projectId] : ['group_id', '=', owner.groupId];
}
