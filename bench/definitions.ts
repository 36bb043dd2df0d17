import { sql } from 'kysely';
import { openStorage } from '../lib/storage/index.ts';

/** Fills a database with public projects and as many definitions for each, in one transaction a thousand projects. */
export async function fillDefinitions(path: string, projects: number, each: number): Promise<void> {
  const { database, close } = await openStorage(path.includes('://') ? path : `sqlite:${path}`);
  const now = Date.now();
  for (let first = 1; first <= projects; first += 500) {
    const numbers = Array.from({ length: Math.min(500, projects - first + 1) }, (_, index) => first + index);
    await database.transaction().execute(async (transaction) => {
      await transaction
        .insertInto('projects')
        .values(
          numbers.map((number) => ({
            name: `p${number}`,
            path: `p${number}`,
            full_path: `bench/p${number}`,
            full_path_key: `bench/p${number}`,
            visibility: 'public',
            created_at: now,
            group_id: null,
            description: null,
            default_branch: 'main',
            commit_sha: null,
            latest_tag: null,
            source: null,
            source_project: null,
          })),
        )
        .execute();
      // Project by project, as they are imported.
      const badges = numbers.flatMap((number) =>
        Array.from({ length: each }, (_, badge) => ({
          project_id: number,
          group_id: null,
          name: `badge ${badge}`,
          link_url: 'https://ci.test/%{project_path}?ref=%{default_branch}',
          image_url: 'https://badges.test/api/ci-badges/image?key=badges&$ApplicationName=%{project_path}',
          created_at: now + badge,
          updated_at: now,
        })),
      );
      for (let at = 0; at < badges.length; at += 500) {
        await transaction
          .insertInto('badges')
          .values(badges.slice(at, at + 500))
          .execute();
      }
    });
  }
  // What autovacuum would have done by the time that so many are there.
  await sql`analyze`.execute(database);
  await close();
}
