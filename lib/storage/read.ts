import { type Compilable, CompiledQuery } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Database } from './database.ts';

/** How a SQLite database runs a statement, at once; PostgreSQL has none. */
export type RunStatement = (text: string, parameters: readonly unknown[]) => unknown[];

const runners = new WeakMap<Database, RunStatement>();

/** From now on reads of this database go past Kysely. */
export function readWith(database: Database, run: RunStatement): void {
  runners.set(database, run);
}

/** Texts by shape; they are the same for all databases of a dialect. */
const texts = new WeakMap<Database, LRUCache<string, string>>();

/**
 * The rows of a read that is asked often: building its text with Kysely takes longer than running it, so that is done
 * once for each shape. `build` gives the query with these very parameters in their order.
 */
export async function readRows<Row>(
  database: Database,
  shape: string,
  parameters: readonly unknown[],
  build: () => Compilable<Row>,
): Promise<readonly Row[]> {
  const known = texts.get(database) ?? new LRUCache<string, string>({ max: 200 });
  texts.set(database, known);
  let text = known.get(shape);
  if (text === undefined) {
    const compiled = build().compile();
    if (compiled.parameters.some((parameter, index) => parameter !== parameters[index])) {
      throw new Error(`the parameters of the read \`${shape}\` are not in the order of its text`);
    }
    text = compiled.sql;
    known.set(shape, text);
  }
  const run = runners.get(database);
  if (run) return run(text, parameters) as Row[];
  return (await database.executeQuery<Row>(CompiledQuery.raw(text, [...parameters]))).rows;
}
