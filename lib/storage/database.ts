import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Database as Sqlite, Statement } from 'better-sqlite3';
import { Kysely, PostgresDialect, type SqliteDatabase, SqliteDialect, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { LRUCache } from 'lru-cache';
import { MIGRATIONS } from './migrations.ts';
import { readWith } from './read.ts';
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
    const database = dialect === 'postgres' ? await openPostgres(url) : await openSqlite(url.slice('sqlite:'.length));
    return { database, dialect, close: () => database.destroy() };
  } catch (cause) {
    const place = dialect === 'sqlite' ? url : `postgres at ${hostOf(url)}`;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError(`the database ${place} cannot be used: ${why}`, { cause });
  }
}

/** What SQLite may keep of the file in memory, of which it takes as much as is read: by itself it would be 2 MiB. */
const CACHE_KIB = 64 * 1024;

async function openSqlite(path: string): Promise<Database> {
  const { default: Sqlite } = await import('better-sqlite3');
  // Below a working directory that was removed, `./data` would be tried for ever: the whole path says what is wrong.
  if (path !== ':memory:') mkdirSync(dirname(resolve(path)), { recursive: true });
  const sqlite = new Sqlite(path, { timeout: 0 });
  const remembering = rememberingStatements(sqlite);
  const database = new Kysely<Tables>({ dialect: new SqliteDialect({ database: remembering }) });
  readWith(database, (text, parameters) => remembering.prepare(text).all(parameters) as unknown[]);
  try {
    await whenFree(() => sqlite.pragma('journal_mode = WAL'));
    sqlite.pragma('synchronous = FULL');
    sqlite.pragma('foreign_keys = ON');
    sqlite.pragma(`cache_size = -${CACHE_KIB}`);
    await alone(sqlite, () => migrate(database, 'sqlite'));
    sqlite.pragma('busy_timeout = 5000');
    return database;
  } catch (error) {
    await database.destroy();
    sqlite.close();
    throw error;
  }
}

/** Kysely prepares a statement each time it runs it, which takes longer than running it. */
function rememberingStatements(sqlite: Sqlite): SqliteDatabase {
  const statements = new LRUCache<string, Statement>({ max: 200 });
  return {
    prepare(text) {
      let statement = statements.get(text);
      if (!statement) {
        statement = sqlite.prepare(text);
        statements.set(text, statement);
      }
      return statement;
    },
    close: () => sqlite.close(),
  };
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
  const database = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    // Kysely would take the tables of another schema of the same database for its own.
    const { rows } = await sql<{ schema: string | null }>`select current_schema() as schema`.execute(database);
    await migrate(database, 'postgres', rows[0]?.schema ?? undefined);
    return database;
  } catch (error) {
    await database.destroy();
    throw error;
  }
}

/** On PostgreSQL Kysely holds an advisory lock meanwhile; on SQLite it has none, see `alone`. */
async function migrate(database: Database, dialect: Dialect, migrationTableSchema?: string): Promise<void> {
  const provider = { getMigrations: async () => MIGRATIONS(dialect) };
  const migrator = new Migrator({ db: database, provider, migrationTableSchema });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}

/** Runs in one transaction that shuts out everybody else. */
async function alone(sqlite: Sqlite, run: () => Promise<void>): Promise<void> {
  await whenFree(() => sqlite.exec('begin exclusive'));
  try {
    await run();
    sqlite.exec('commit');
  } catch (error) {
    sqlite.exec('rollback');
    throw error;
  }
}

const PATIENCE_MS = 30_000;

/** Waits for others without stopping this process, for they may be in it. */
async function whenFree(run: () => unknown): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      run();
      return;
    } catch (error) {
      const isBusy = error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY');
      if (!isBusy || Date.now() > end) throw error;
    }
    await setTimeout(10);
  }
}

/** Whether a write failed because what it belongs to was removed meanwhile. */
export function isOrphaned(error: unknown): boolean {
  const codes = ['SQLITE_CONSTRAINT_FOREIGNKEY', '23503'];
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that cannot be read';
}
