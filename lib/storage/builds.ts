import type { Selectable } from 'kysely';
import type { BuildQuery, Pages, State } from '../builds/index.ts';
import type { Database } from './database.ts';
import type { BuildRow } from './tables.ts';

/** A build as a CI job reported it. */
export interface ReportedBuild {
  readonly application: string;
  readonly build: string;
  readonly state: State;
  readonly status?: string;
  readonly release?: string;
  readonly branch?: string;
  readonly commit?: string;
  readonly tag?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly pages?: Pages;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
}

/** Builds kept of one application; older ones are dropped. */
export const KEPT_BUILDS = 1_000;
const PAGE = 100;

/** Keeps a report: a new build, or the new state of one that was reported before. */
export async function saveBuild(database: Database, build: ReportedBuild): Promise<void> {
  const application_key = build.application.toLowerCase();
  const row = {
    application: build.application,
    state: build.state,
    status: build.status ?? null,
    release: build.release ?? null,
    branch: build.branch ?? null,
    commit: build.commit?.toLowerCase() ?? null,
    tag: build.tag ?? null,
    variables: build.variables ? JSON.stringify(build.variables) : null,
    pages: build.pages ? JSON.stringify(build.pages) : null,
    started_at: build.startedAt?.getTime() ?? null,
    finished_at: build.finishedAt?.getTime() ?? null,
  };
  const release_key = build.branch ?? build.tag ?? build.release ?? '';
  await database
    .insertInto('builds')
    .values({ ...row, application_key, release_key, build: build.build })
    .onConflict((conflict) => conflict.columns(['application_key', 'release_key', 'build']).doUpdateSet(row))
    .execute();
  const oldest = database
    .selectFrom('builds')
    .select('id')
    .where('application_key', '=', application_key)
    .orderBy('id', 'desc')
    .limit(1)
    .offset(KEPT_BUILDS);
  await database
    .deleteFrom('builds')
    .where('application_key', '=', application_key)
    .where('id', '<=', oldest)
    .execute();
}

/** Reported builds that may match a query, newest first, read in pages. */
export async function* findBuilds(
  database: Database,
  query: BuildQuery,
): AsyncIterable<ReportedBuild & { id: number }> {
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    let select = database.selectFrom('builds').selectAll().where('id', '<', before).orderBy('id', 'desc').limit(PAGE);
    if (query.application) select = select.where('application_key', '=', query.application.toLowerCase());
    if (query.build !== undefined) select = select.where('build', '=', query.build);
    for (const kind of ['branch', 'tag'] as const) {
      const ref = query[kind];
      if (ref === undefined) continue;
      // A report that names only a release leaves open what kind of ref it is.
      select = select.where((where) =>
        where.or([
          where(kind, '=', ref),
          where.and([where('branch', 'is', null), where('tag', 'is', null), where('release', '=', ref)]),
        ]),
      );
    }
    const rows = await select.execute();
    for (const row of rows) yield toBuild(row);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    before = last.id;
  }
}

function toBuild(row: Selectable<BuildRow>): ReportedBuild & { id: number } {
  return {
    id: row.id,
    application: row.application,
    build: row.build,
    state: row.state as State,
    ...(row.status !== null && { status: row.status }),
    ...(row.release !== null && { release: row.release }),
    ...(row.branch !== null && { branch: row.branch }),
    ...(row.commit !== null && { commit: row.commit }),
    ...(row.tag !== null && { tag: row.tag }),
    ...(row.variables !== null && { variables: JSON.parse(row.variables) }),
    ...(row.pages !== null && { pages: JSON.parse(row.pages) }),
    ...(row.started_at !== null && { startedAt: new Date(row.started_at) }),
    ...(row.finished_at !== null && { finishedAt: new Date(row.finished_at) }),
  };
}
