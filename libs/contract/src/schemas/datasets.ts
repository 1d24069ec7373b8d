import { isStorableText, statesOf, versionLifecycle } from '@millrace/domain';
import { z } from 'zod';
import { branchesOf } from './branches.js';
import {
  columnSchema,
  errorRecordSchema,
  idOf,
  idSchema,
  pageFields,
  pageQuerySchema,
  rowsSchema,
  textSchema,
  timestampSchema,
  UNSTORABLE_TEXT,
} from './common.js';
import { rowFormatSchema } from './formats.js';

export const LABEL_LENGTH_MAX = 500;
export const PREVIEW_ROWS_DEFAULT = 100;
export const PREVIEW_ROWS_MAX = 1_000;
/** Far more pins than a file may have columns are a mistake. */
const PINS_MAX = 5_000;
const SELECTED_MAX = 5_000;

export const fileFormatSchema = z.enum(['csv', 'json', 'parquet']);

const oneCharacterOrNone = textSchema.refine((text) => [...text].length <= 1, 'Must be one character, or empty.');

/** Of a text, by the names of `TEXT_ENCODINGS` in the engine. */
export const encodingSchema = z.enum(['utf-8', 'utf-16le', 'utf-16be', 'latin-1', 'windows-1252']);

/** How to read a file. What is left out is found by itself. */
export const formatOptionsSchema = z
  .strictObject({
    encoding: encodingSchema.optional().meta({
      description:
        'CSV, JSON: how the characters are written. What is left out is UTF-8, UTF-16 by its byte order mark or its ' +
        'shape, and Windows-1252 for bytes that can be nothing else; a warning says what was guessed.',
    }),
    delimiter: textSchema.min(1).max(4).optional().meta({ description: 'CSV: what stands between two fields.' }),
    quote: oneCharacterOrNone.optional().meta({ description: 'CSV: one character, or empty for none.' }),
    escape: oneCharacterOrNone.optional().meta({ description: 'CSV: one character, or empty for none.' }),
    comment: oneCharacterOrNone
      .optional()
      .meta({ description: 'CSV: one character, or empty for none; lines that start with it are skipped.' }),
    header: z.boolean().optional().meta({ description: 'CSV: whether the first line holds the names.' }),
    skip: z.int().min(0).max(1_000_000).optional().meta({ description: 'CSV: lines to leave out at the top.' }),
    null_strings: z
      .array(textSchema.max(100))
      .min(1)
      .max(20)
      .optional()
      .meta({ description: 'CSV: texts that mean NULL; the empty field when left out.' }),
    date_format: textSchema
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'CSV: strptime pattern.', example: '%d.%m.%Y' }),
    timestamp_format: textSchema.min(1).max(100).optional().meta({ description: 'CSV: strptime pattern.' }),
    decimal_separator: z
      .enum(['.', ','])
      .optional()
      .meta({ description: 'CSV: what stands before the fraction of a number; `.` when left out.' }),
    thousands_separator: z.enum([',', '.', "'", '’', ' ', '\u00a0', '\u202f']).optional().meta({
      description:
        'CSV: what stands between groups of three digits of a number; nothing when left out. Not the decimal separator.',
    }),
    ragged_rows: z.enum(['error', 'pad']).optional().meta({
      description: 'CSV: what happens to a row with too few fields: an error, or NULL for those that are missing.',
    }),
    select: z.array(textSchema.min(1).max(1_000)).min(1).max(SELECTED_MAX).optional().meta({
      description: 'The columns to keep, in this order; all when left out.',
    }),
    json_layout: z.enum(['auto', 'array', 'lines']).optional().meta({
      description: 'JSON: one array of records, or a record on each line; `auto`, as when left out, looks which.',
    }),
    records_path: textSchema.min(1).max(1_000).optional().meta({
      description: 'JSON: where the records are, if not at the top; keys with dots as a JSON Pointer, `/data/items`.',
      example: 'data.items',
    }),
    depth_max: z.int().min(0).max(64).optional().meta({
      description: 'JSON: levels of objects and lists within a record that become types; what is deeper stays JSON.',
    }),
    nested: z.enum(['nested', 'flatten']).optional().meta({
      description: 'JSON: `flatten` makes a column of each field of an object, `address_city`; lists stay.',
    }),
    on_error: z.enum(['abort']).optional().meta({ description: 'What a bad row does.' }),
  })
  .meta({ id: 'FormatOptions' });

/** The type that a column must get. */
export const pinnedTypeSchema = z
  .strictObject({
    type: textSchema.min(1).max(1_000).meta({ description: 'SQL type.', example: 'DECIMAL' }),
    precision: z.int().min(1).max(38).optional(),
    scale: z.int().min(0).max(38).optional(),
  })
  .meta({ id: 'PinnedType' });

const pinnedColumnsSchema = z
  .record(z.string(), pinnedTypeSchema)
  .refine((pins) => Object.keys(pins).length <= PINS_MAX, `At most ${PINS_MAX} columns.`)
  // Not the keys' own schema: all that it says is that a key is not valid.
  .refine((pins) => Object.keys(pins).every(isStorableText), `A column's name: ${UNSTORABLE_TEXT}`);

/** What may be said about a file, wherever it comes from. */
export const readingFields = {
  options: formatOptionsSchema.optional(),
  columns: pinnedColumnsSchema.optional().meta({ description: 'Pinned types, by column name.' }),
};

export const uploadSourceSchema = z
  .strictObject({
    upload_id: idSchema('upload'),
    format: fileFormatSchema.optional().meta({ description: 'Found by itself when left out.' }),
    ...readingFields,
  })
  .meta({ id: 'UploadSource' });

export const inlineSourceSchema = z
  .strictObject({
    inline: z
      .strictObject({
        format: z.enum(['csv', 'json']),
        content: z
          .string()
          .refine((text) => text.isWellFormed(), 'Must not hold half of a character.')
          .meta({ description: 'The text of the file, at most 1 MiB in UTF-8.' }),
        ...readingFields,
      })
      .refine(({ options }) => options?.encoding === undefined, {
        path: ['options', 'encoding'],
        message: 'Is for uploaded files: inline content is text already.',
      }),
  })
  .meta({ id: 'InlineSource' });

export const resultSourceSchema = z
  .strictObject({
    result_id: idSchema('result').meta({ description: 'A ready result. No byte of it is copied.' }),
  })
  .meta({ id: 'ResultSource' });

/** Each source by the field that only it has. */
const SOURCES = { upload_id: uploadSourceSchema, inline: inlineSourceSchema, result_id: resultSourceSchema };
type SourceSchema = (typeof SOURCES)[keyof typeof SOURCES];

export const datasetSourceSchema = branchesOf([uploadSourceSchema, inlineSourceSchema, resultSourceSchema], {
  choose: sourceSchemaOf,
  error: 'Must be one of {"upload_id": …}, {"inline": {"format": …, "content": …}} and {"result_id": …}.',
});

function sourceSchemaOf(source: unknown): SourceSchema | undefined {
  if (typeof source !== 'object' || source === null) return undefined;
  const [schema, ...others] = Object.entries(SOURCES).flatMap(([field, each]) =>
    Object.hasOwn(source, field) ? [each] : [],
  );
  return others.length === 0 ? schema : undefined;
}

export const createDatasetSchema = z
  .strictObject({
    label: textSchema.max(LABEL_LENGTH_MAX),
    table_name: textSchema.optional().meta({ description: 'Derived from the label when left out.' }),
    source: datasetSourceSchema,
  })
  .meta({ id: 'CreateDataset' });

export type CreateDatasetBody = z.infer<typeof createDatasetSchema>;
export type FormatOptions = z.infer<typeof formatOptionsSchema>;
export type PinnedType = z.infer<typeof pinnedTypeSchema>;

export const updateDatasetSchema = z
  .strictObject({ label: textSchema.max(LABEL_LENGTH_MAX).optional(), table_name: textSchema.optional() })
  .refine((body) => body.label !== undefined || body.table_name !== undefined, 'Give a label, a table_name or both.')
  .meta({ id: 'UpdateDataset' });

export type UpdateDatasetBody = z.infer<typeof updateDatasetSchema>;

export const versionStatusSchema = z.enum(statesOf(versionLifecycle));

/** What was asked for at creation, the content of an inline source left out. */
export const sourceConfigSchema = z
  .object({
    upload_id: idOf('upload').optional(),
    result_id: idOf('result').optional(),
    file_name: z.string().nullable().optional(),
    format: fileFormatSchema.optional(),
    options: formatOptionsSchema.optional(),
    columns: z.record(z.string(), pinnedTypeSchema).optional(),
  })
  .meta({ id: 'SourceConfig' });

export type SourceConfig = z.infer<typeof sourceConfigSchema>;

export const datasetSchema = z
  .object({
    id: idOf('dataset'),
    label: z.string(),
    schema_name: z.literal('main'),
    table_name: z.string(),
    status: versionStatusSchema,
    version: z.int().nullable().meta({ description: 'Number of the newest ready version.' }),
    row_count: z.int().nullable(),
    size_bytes: z.int().nullable().meta({ description: 'Bytes of the Parquet files.' }),
    columns: z.array(columnSchema),
    source_type: z.enum(['upload', 'inline', 'result']),
    source_config: sourceConfigSchema,
    reused: z.boolean().meta({
      description: 'Whether its rows come from an earlier conversion of the same bytes, read in the same way.',
    }),
    warnings: z.array(z.string()).meta({ description: 'What the conversion had to decide, for people.' }),
    job_id: idOf('job').nullable().meta({
      description: 'The job that converts the newest version; null when there was nothing to convert.',
    }),
    progress: z.number().min(0).max(1).nullable().meta({ description: 'Of the conversion, while it runs.' }),
    error: errorRecordSchema.nullable(),
    created_at: timestampSchema,
    updated_at: timestampSchema,
  })
  .meta({ id: 'Dataset' });

export type DatasetBody = z.infer<typeof datasetSchema>;

export const listDatasetsQuerySchema = pageQuerySchema.extend({
  label: textSchema.max(LABEL_LENGTH_MAX).optional().meta({ description: 'Labels that contain it, in any case.' }),
  table_name: textSchema.max(128).optional().meta({ description: 'Table names that start with it, in any case.' }),
});

export const datasetListSchema = z
  .object({ datasets: z.array(datasetSchema), ...pageFields })
  .meta({ id: 'DatasetList' });

export const previewQuerySchema = z.strictObject({
  format: rowFormatSchema.default('json').meta({ description: 'How rows look.' }),
  limit: z.coerce.number().int().min(1).max(PREVIEW_ROWS_MAX).default(PREVIEW_ROWS_DEFAULT),
});

export const previewSchema = z
  .object({
    dataset_id: idOf('dataset'),
    version: z.int(),
    columns: z.array(z.string()),
    types: z.array(z.string()),
    nullable: z.array(z.boolean()),
    rows: rowsSchema,
    row_count: z.int().meta({ description: 'Rows in this answer.' }),
    total_row_count: z.int(),
    truncated: z.boolean(),
  })
  .meta({ id: 'Preview' });
