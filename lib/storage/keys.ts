import { announce } from './changes.ts';
import type { Database } from './database.ts';
import type { KeyRow } from './tables.ts';

/** A key as it is kept: never its text. */
export interface StoredKey {
  readonly name: string;
  /** SHA-256, hexadecimal. */
  readonly digest: string;
  readonly scopes: readonly string[];
  readonly sources?: readonly string[];
  readonly applications?: readonly string[];
  readonly expiresAt?: Date;
  readonly createdAt: Date;
}

export async function listKeys(database: Database): Promise<readonly StoredKey[]> {
  const rows = await database.selectFrom('keys').selectAll().orderBy('created_at').orderBy('name').execute();
  return rows.map(toStoredKey);
}

/** Keeps a new key; `false` when the name is taken. */
export async function addKey(database: Database, key: StoredKey): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await database
    .insertInto('keys')
    .values({
      name: key.name,
      digest: key.digest,
      scopes: JSON.stringify(key.scopes),
      sources: key.sources ? JSON.stringify(key.sources) : null,
      applications: key.applications ? JSON.stringify(key.applications) : null,
      expires_at: key.expiresAt?.getTime() ?? null,
      created_at: key.createdAt.getTime(),
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirst();
  const added = numInsertedOrUpdatedRows === 1n;
  if (added) await announce(database, 'keys');
  return added;
}

/** Removes a key; `false` when there is none of that name. */
export async function removeKey(database: Database, name: string): Promise<boolean> {
  const { numDeletedRows } = await database.deleteFrom('keys').where('name', '=', name).executeTakeFirst();
  if (numDeletedRows > 0n) await announce(database, 'keys');
  return numDeletedRows > 0n;
}

function toStoredKey(row: KeyRow): StoredKey {
  return {
    name: row.name,
    digest: row.digest,
    scopes: JSON.parse(row.scopes),
    ...(row.sources !== null && { sources: JSON.parse(row.sources) }),
    ...(row.applications !== null && { applications: JSON.parse(row.applications) }),
    ...(row.expires_at !== null && { expiresAt: new Date(row.expires_at) }),
    createdAt: new Date(row.created_at),
  };
}
