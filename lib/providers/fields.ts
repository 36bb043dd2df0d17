import { z } from 'zod';

/** A field that may be missing or null: absent either way. */
export function maybe<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** A number or a text, as text: ids and build numbers are either. */
export const label = z.union([z.string(), z.number()]).transform(String);

/** ISO 8601, absent when null, empty, or the year 1 or 1970-01-01 that some write for "never". */
export const instant = z
  .string()
  .nullish()
  .transform((text) => toInstant(text ? new Date(text) : undefined));

/** Seconds since 1970; absent when null or 0. */
export const instantOfSeconds = z
  .number()
  .nullish()
  .transform((seconds) => toInstant(seconds ? new Date(seconds * 1000) : undefined));

/** Milliseconds since 1970; absent when null or 0. */
export const instantOfMs = z
  .number()
  .nullish()
  .transform((ms) => toInstant(ms ? new Date(ms) : undefined));

function toInstant(date: Date | undefined): Date | undefined {
  return date && !Number.isNaN(date.getTime()) && date.getTime() > 0 ? date : undefined;
}
