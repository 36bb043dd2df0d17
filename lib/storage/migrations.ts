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
    '002-definitions': {
      async up(database: Kysely<unknown>) {
        const { schema } = database;
        await withId(schema.createTable('groups'))
          .addColumn('parent_id', 'bigint', (column) => column.references('groups.id').onDelete('cascade'))
          .addColumn('name', 'text', (column) => column.notNull())
          .addColumn('path', 'text', (column) => column.notNull())
          .addColumn('full_path', 'text', (column) => column.notNull())
          .addColumn('full_path_key', 'text', (column) => column.notNull().unique())
          .addColumn('description', 'text')
          .addColumn('visibility', 'text', (column) => column.notNull())
          .addColumn('created_at', 'bigint', (column) => column.notNull())
          .execute();
        await withId(schema.createTable('projects'))
          .addColumn('group_id', 'bigint', (column) => column.references('groups.id').onDelete('cascade'))
          .addColumn('name', 'text', (column) => column.notNull())
          .addColumn('path', 'text', (column) => column.notNull())
          .addColumn('full_path', 'text', (column) => column.notNull())
          .addColumn('full_path_key', 'text', (column) => column.notNull().unique())
          .addColumn('description', 'text')
          .addColumn('visibility', 'text', (column) => column.notNull())
          .addColumn('default_branch', 'text')
          .addColumn('commit_sha', 'text')
          .addColumn('latest_tag', 'text')
          .addColumn('source', 'text')
          .addColumn('source_project', 'text')
          .addColumn('created_at', 'bigint', (column) => column.notNull())
          .execute();
        await withId(schema.createTable('badges'))
          .addColumn('project_id', 'bigint', (column) => column.references('projects.id').onDelete('cascade'))
          .addColumn('group_id', 'bigint', (column) => column.references('groups.id').onDelete('cascade'))
          .addColumn('name', 'text')
          .addColumn('link_url', 'text', (column) => column.notNull())
          .addColumn('image_url', 'text', (column) => column.notNull())
          .addColumn('created_at', 'bigint', (column) => column.notNull())
          .addColumn('updated_at', 'bigint', (column) => column.notNull())
          .execute();
        for (const [table, column] of [
          ['groups', 'parent_id'],
          ['projects', 'group_id'],
        ] as const) {
          await schema.createIndex(`${table}_${column}`).on(table).column(column).execute();
        }
        for (const owner of ['project_id', 'group_id']) {
          await schema.createIndex(`badges_${owner}`).on('badges').columns([owner, 'created_at', 'id']).execute();
        }
      },
    },
  };
}
