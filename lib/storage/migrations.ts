import type { CreateTableBuilder, Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Dialect } from './database.ts';

/** By name, in order. A migration that was released is never edited. */
export function MIGRATIONS(dialect: Dialect): Record<string, Migration> {
  /** A numeric id that is never given twice, not even after a deletion. */
  const withId = <Table extends string, Column extends string>(table: CreateTableBuilder<Table, Column>) =>
    dialect === 'postgres'
      ? table.addColumn('id', 'bigserial', (column) => column.primaryKey())
      : table.addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement());

  return {
    '001-keys-and-builds': {
      async up(database: Kysely<unknown>) {
        await database.schema
          .createTable('keys')
          .addColumn('name', 'text', (column) => column.primaryKey())
          .addColumn('digest', 'text', (column) => column.notNull().unique())
          .addColumn('scopes', 'text', (column) => column.notNull())
          .addColumn('sources', 'text')
          .addColumn('applications', 'text')
          .addColumn('expires_at', 'bigint')
          .addColumn('created_at', 'bigint', (column) => column.notNull())
          .execute();
        await withId(database.schema.createTable('builds'))
          .addColumn('application_key', 'text', (column) => column.notNull())
          .addColumn('application', 'text', (column) => column.notNull())
          .addColumn('build', 'text', (column) => column.notNull())
          .addColumn('release_key', 'text', (column) => column.notNull())
          .addColumn('state', 'text', (column) => column.notNull())
          .addColumn('status', 'text')
          .addColumn('release', 'text')
          .addColumn('branch', 'text')
          .addColumn('commit', 'text')
          .addColumn('tag', 'text')
          .addColumn('variables', 'text')
          .addColumn('pages', 'text')
          .addColumn('started_at', 'bigint')
          .addColumn('finished_at', 'bigint')
          .addUniqueConstraint('builds_identity', ['application_key', 'release_key', 'build'])
          .execute();
        await database.schema.createIndex('builds_newest').on('builds').columns(['application_key', 'id']).execute();
        await database.schema
          .createTable('changes')
          .addColumn('topic', 'text', (column) => column.primaryKey())
          .addColumn('version', 'bigint', (column) => column.notNull())
          .addColumn('changed_at', 'bigint', (column) => column.notNull())
          .execute();
        await database.schema.createIndex('changes_recent').on('changes').column('changed_at').execute();
      },
    },
  };
}
