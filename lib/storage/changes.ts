import { sql } from 'kysely';
import type { Database } from './database.ts';

/** What other processes need to hear of: the keys, the definitions, an application of a source. */
export type Topic = 'keys' | 'definitions' | `application ${string}`;

/** The topic of an application of a source; of the whole source when none is named. */
export function applicationTopic(source: string, application: string | undefined): Topic {
  return `application ${JSON.stringify([source, application?.toLowerCase()])}`;
}

/** The source and application of a topic; `undefined` for a topic of another kind. */
export function applicationOf(topic: string): [source: string, application?: string] | undefined {
  if (!topic.startsWith('application ')) return undefined;
  const [source, application] = JSON.parse(topic.slice('application '.length));
  return [source, application ?? undefined];
}

/** Clocks of replicas may differ by as much. */
const CLOCKS_DIFFER_MS = 60_000;

/** Says to every process on this database that something of a topic changed. */
export async function announce(database: Database, topic: Topic): Promise<void> {
  const changed_at = Date.now();
  await database
    .insertInto('changes')
    .values({ topic, version: 1, changed_at })
    .onConflict((conflict) =>
      conflict.column('topic').doUpdateSet({ version: sql<number>`changes.version + 1`, changed_at }),
    )
    .execute();
}

/** The topics that were announced lately, and how often each was in all. */
export async function recentChanges(database: Database, now = Date.now()): Promise<ReadonlyMap<string, number>> {
  const since = now - CLOCKS_DIFFER_MS;
  const rows = await database
    .selectFrom('changes')
    .select(['topic', 'version'])
    .where('changed_at', '>', since)
    .execute();
  return new Map(rows.map(({ topic, version }) => [topic, version]));
}
