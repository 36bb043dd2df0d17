import type { Selectable } from 'kysely';
import { announce } from './changes.ts';
import type { Database } from './database.ts';
import type { Page, Paging } from './owners.ts';
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
  let select = database
    .selectFrom('badges')
    .where((where) =>
      where.or([
        ...(scope.projectId === undefined ? [] : [where('project_id', '=', scope.projectId)]),
        ...(scope.groupIds.length === 0 ? [] : [where('group_id', 'in', [...scope.groupIds])]),
      ]),
    );
  if (name !== undefined) select = select.where('name', '=', name);
  const items = await select
    .selectAll()
    .orderBy('created_at')
    .orderBy('id')
    .limit(perPage)
    .offset((page - 1) * perPage)
    .execute();
  // A page that is not full is the last: what comes before it is known without counting.
  if (items.length < perPage && (items.length > 0 || page === 1)) {
    return { items, total: (page - 1) * perPage + items.length };
  }
  const row = await select.select((of) => of.fn.countAll<number>().as('total')).executeTakeFirst();
  return { items, total: Number(row?.total ?? 0) };
}

/** A definition of that owner; of `scope` where inherited ones count. */
export async function findDefinition(database: Database, owner: Owner, id: number): Promise<Definition | undefined> {
  return database
    .selectFrom('badges')
    .selectAll()
    .where('id', '=', id)
    .where(...ownerIs(owner))
    .executeTakeFirst();
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
