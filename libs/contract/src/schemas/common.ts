import { ERRORS, ID_PREFIXES, idPattern, isStorableText, type ErrorCode, type Id, type IdKind } from '@millrace/domain';
import { z } from 'zod';

export const PAGE_LIMIT_DEFAULT = 100;
export const PAGE_LIMIT_MAX = 1_000;

export const UNSTORABLE_TEXT = 'Must hold neither a NUL character nor half of a character.';

/** Any text that is kept in the catalog. */
export const textSchema = z.string().refine(isStorableText, UNSTORABLE_TEXT);

/** An id of one kind: a 4-letter prefix and a ULID in lower case. */
export function idSchema<K extends IdKind>(kind: K) {
  return z
    .string()
    .regex(new RegExp(idPattern(kind)), `Must be an id that starts with "${ID_PREFIXES[kind]}".`)
    .transform((text) => text as Id<K>);
}

/** An id in an answer: typed, not checked again. */
export function idOf<K extends IdKind>(kind: K) {
  return z.string().meta({ example: `${ID_PREFIXES[kind]}01jd3x9k2v7q8m4n5p6r7s8t9w` });
}

export const timestampSchema = z.iso.datetime({ offset: true }).meta({ description: 'RFC 3339, in UTC.' });

export const columnSchema = z
  .object({
    name: z.string(),
    type: z.string().meta({ description: "SQL type in DuckDB's spelling, nested types included." }),
    nullable: z.boolean().meta({ description: 'Whether a NULL was seen.' }),
  })
  .meta({ id: 'Column' });

/** `limit` and `cursor` of every list. */
export const pageQuerySchema = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(PAGE_LIMIT_MAX)
    .default(PAGE_LIMIT_DEFAULT)
    .meta({ description: `How many at most, 1 to ${PAGE_LIMIT_MAX}.` }),
  cursor: z.string().max(500).optional().meta({ description: 'Where to go on: `next_cursor` of the page before.' }),
});

/** What every list carries beside its items. */
export const pageFields = {
  has_more: z.boolean(),
  next_cursor: z.string().nullable().meta({ description: 'For the next page; null on the last.' }),
};

export const errorPlaceSchema = z
  .object({
    message: z.string(),
    pointer: z.string().optional().meta({ description: 'JSON pointer into the body.' }),
    line: z.int().optional().meta({ description: 'Line, from 1.' }),
    column: z.int().optional().meta({ description: 'Character in the line, from 1.' }),
    column_name: z.string().optional().meta({ description: "The file's column." }),
    text: z.string().optional().meta({ description: 'The offending text, cut.' }),
  })
  .meta({ id: 'ErrorPlace' });

const errorCodes = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

/** An error as it is kept with a thing that failed. */
export const errorRecordSchema = z
  .object({ code: z.enum(errorCodes), detail: z.string(), errors: z.array(errorPlaceSchema).optional() })
  .meta({ id: 'Error' });

/** RFC 9457. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(errorCodes),
    request_id: z.string(),
    retryable: z.boolean().meta({ description: 'Whether the same request may succeed later without a change.' }),
    errors: z.array(errorPlaceSchema).optional(),
  })
  .meta({ id: 'Problem' });

export type Problem = z.infer<typeof problemSchema>;

const rowListSchema = z.array(z.array(z.json())).meta({ id: 'Rows' });
const rowObjectsSchema = z.array(z.record(z.string(), z.json())).meta({ id: 'RowObjects' });

/**
 * Rows in JSON: every value loses nothing; see the rules for values in the documentation. Typed as they are by default;
 * whoever asks for objects knows it.
 */
export const rowsSchema = z.union([rowListSchema, rowObjectsSchema]).meta({
  description: 'Arrays in the order of the columns; with `format=objects` objects by the names of the columns.',
}) as unknown as typeof rowListSchema;
