import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { MIGRATIONS } from './migrations.ts';
import type { Tables } from './tables.ts';

export type Database = Kysely<Tables>;
export type Dialect = 'sqlite' | 'postgres';

/** The database could not be opened or brought up to date; the message names what was wanted, never a password. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}

/** An open database with its schema up to date. */
export interface Storage {
  readonly database: Database;
  readonly dialect: Dialect;
  close(): Promise<void>;
}

/**
 * Opens `sqlite:<path>` (`sqlite::memory:` for one that is gone at the end) or `postgres://…` and migrates it under a lock.
 * @throws StorageError
 */
export async function openStorage(url: string): Promise<Storage> {
  const dialect: Dialect = /^postgres(ql)?:/.test(url) ? 'postgres' : 'sqlite';
  if (dialect === 'sqlite' && !url.startsWith('sqlite:')) {
    throw new StorageError('database: `sqlite:<path>` or `postgres://user@host/name` was wanted');
  }
  try {
    const database: Database =
      dialect === 'postgres' ? await openPostgres(url) : await openSqlite(url.slice('sqlite:'.length));
    await migrate(database, dialect);
    return { database, dialect, close: () => database.destroy() };
  } catch (cause) {
    const place = dialect === 'sqlite' ? url : `postgres at ${hostOf(url)}`;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError(`the database ${place} cannot be used: ${why}`, { cause });
  }
}

async function openSqlite(path: string): Promise<Database> {
  const { default: Sqlite } = await import('better-sqlite3');
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const sqlite = new Sqlite(path);
  sqlite.pragma('journal_mode = WAL');
  sqlite.pragma('synchronous = FULL');
  sqlite.pragma('foreign_keys = ON');
  sqlite.pragma('busy_timeout = 5000');
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database: sqlite }) });
}

async function openPostgres(url: string): Promise<Database> {
  const { default: pg } = await import('pg');
  const types = {
    getTypeParser(oid: number, format?: 'text' | 'binary') {
      return oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format);
    },
  };
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 5_000, types });
  // A connection that breaks while it idles is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

/** Kysely takes an advisory lock on PostgreSQL; on SQLite the migrations run in one exclusive transaction. */
async function migrate(database: Database, dialect: Dialect): Promise<void> {
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => MIGRATIONS(dialect) } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that cannot be read';
}
