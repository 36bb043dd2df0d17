import { setImmediate as turn } from 'node:timers/promises';
import { z } from 'zod';

/** Items read between two turns of the event loop: less than 1 ms for those of a CI, 2 ms the first time. */
const ITEMS = 100;

/**
 * As `schema.safeParse`, for a value of any size: within long lists the event loop turns. A list that fails tells of its
 * first bad items only.
 */
export function readInSlices<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): Promise<z.ZodSafeParseResult<z.output<Schema>>> {
  return z.safeParseAsync(sliced(schema) as Schema, value);
}

/** The schema, with the outermost of its lists read slice by slice. One that is wrapped in anything rare stays as it is. */
function sliced(schema: z.core.$ZodType): z.core.$ZodType {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'array':
      // A rule about the whole list, as its length, does not hold for a part.
      return def.checks?.length ? schema : slicedList(schema);
    case 'object': {
      const shape = Object.entries(def.shape).map(([name, field]) => [name, sliced(field)]);
      return copy(schema, { ...def, shape: Object.fromEntries(shape) });
    }
    case 'pipe':
      return copy(schema, { ...def, in: sliced(def.in), out: sliced(def.out) });
    case 'optional':
    case 'nullable':
      return copy(schema, { ...def, innerType: sliced(def.innerType) });
    default:
      return schema;
  }
}

/** The schema with another definition of the same type. */
function copy<Def extends z.core.$ZodTypeDef>(schema: z.core.$ZodType, def: Def): z.core.$ZodType {
  return z.core.clone(schema, def);
}

function slicedList(list: z.core.$ZodType): z.core.$ZodType {
  return z
    .custom(() => true)
    .transform(async (value, context) => {
      if (!Array.isArray(value)) return readPart(list, value, 0, context);
      const items: unknown[] = [];
      for (let at = 0; at < value.length && context.issues.length === 0; at += ITEMS) {
        if (at > 0) await turn();
        items.push(...readPart(list, value.slice(at, at + ITEMS), at, context));
      }
      return items;
    });
}

/** The items that a list reads of a part of the value, which begins `at` an index of the whole. */
function readPart(list: z.core.$ZodType, part: unknown, at: number, { issues }: z.core.ParsePayload): unknown[] {
  const { data, error } = z.safeParse(list, part);
  for (const issue of error?.issues ?? []) {
    const path = issue.path.map((step, depth) => (depth === 0 ? at + Number(step) : step));
    issues.push({ ...issue, path, input: part } as z.core.$ZodRawIssue);
  }
  return (data ?? []) as unknown[];
}
