import type { z } from 'zod';

/** The configuration cannot be used. The message names every wrong option and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * What a schema reads from a value.
 * @param place where the value stands, for the message: `sources[1]`
 * @param also names of options that are taken elsewhere, for the message
 * @throws ConfigError that names each wrong option, and for an unknown one its neighbours
 */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place = '',
  also: readonly string[] = [],
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ConfigError(result.error.issues.flatMap((issue) => explain(issue, schema, place, also)).join('\n'));
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType, place: string, also: readonly string[]): string[] {
  const path = nameOf(place, issue.path);
  if (issue.code !== 'unrecognized_keys') return [`${path || 'the configuration'}: ${issue.message}`];
  const known = [...optionsAt(schema, issue.path), ...(issue.path.length === 0 ? also : [])];
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    const hint = near ? ` (did you mean \`${near}\`?)` : '';
    return `${nameOf(path, [key])}: there is no such option${hint}; there are ${known.join(', ') || 'none'}`;
  });
}

function nameOf(place: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`;
    return name === '' ? String(part) : `${name}.${String(part)}`;
  }, place);
}

/** The names of the options of the object that stands at a path of a schema. */
export function optionsAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = unwrap(schema);
  for (const part of path) {
    const { def } = at as {
      def: { type: string; shape?: Record<PropertyKey, unknown>; element?: unknown; valueType?: unknown };
    };
    at = unwrap(def.shape?.[part] ?? def.element ?? def.valueType);
    if (at === undefined) return [];
  }
  return Object.keys((at as { def: { shape?: object } }).def.shape ?? {});
}

function unwrap(schema: unknown): unknown {
  const inner = (schema as { def?: { innerType?: unknown; in?: unknown } } | undefined)?.def;
  return inner?.innerType || inner?.in ? unwrap(inner.innerType ?? inner.in) : schema;
}

/** The name that differs least, when it differs in no more than a third. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const ranked = known.map((other) => ({ other, distance: distance(name.toLowerCase(), other.toLowerCase()) }));
  const [best] = ranked.sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(1, Math.floor(name.length / 3)) ? best.other : undefined;
}

/** The number of letters to change, add or leave out (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
