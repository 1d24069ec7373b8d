import { statesOf, uploadLifecycle } from '@millrace/domain';
import { z } from 'zod';
import { errorRecordSchema, idOf, pageFields, pageQuerySchema, rowsSchema, timestampSchema } from './common.js';
import { encodingSchema, fileFormatSchema, readingFields } from './datasets.js';

export const uploadStatusSchema = z.enum(statesOf(uploadLifecycle));

export const uploadSchema = z
  .object({
    id: idOf('upload'),
    status: uploadStatusSchema,
    file_name: z.string().nullable(),
    size_bytes: z.int().meta({ description: 'While it is `uploading`: what was announced.' }),
    content_type: z.string(),
    content_encoding: z.enum(['gzip', 'zstd']).nullable(),
    content_hash: z
      .string()
      .nullable()
      .meta({ description: 'SHA-256 of the bytes as they were sent: `sha-256:` and hex. Null before they are there.' }),
    deduplicated: z.boolean().meta({ description: 'Whether the same bytes were there already.' }),
    created_at: timestampSchema,
    expires_at: timestampSchema,
    consumed_at: timestampSchema.nullable(),
    last_error: errorRecordSchema.nullable().meta({ description: 'Why the last conversion of it failed.' }),
  })
  .meta({ id: 'Upload' });

export type UploadBody = z.infer<typeof uploadSchema>;

export const listUploadsQuerySchema = pageQuerySchema.extend({ status: uploadStatusSchema.optional() });
export const uploadListSchema = z.object({ uploads: z.array(uploadSchema), ...pageFields }).meta({ id: 'UploadList' });

/** What an upload may say about its file beside `Content-Type`; for the document, the gateway reads them itself. */
export const uploadHeadersSchema = z.object({
  'Content-Encoding': z.string().optional().meta({ description: 'How the file is compressed: `gzip` or `zstd`.' }),
  'Content-Disposition': z
    .string()
    .optional()
    .meta({ description: 'The name of the file.', example: 'attachment; filename="airports.csv"' }),
  'Content-Digest': z.string().optional().meta({
    description: 'SHA-256 of the raw body (RFC 9530), which is verified.',
    example: 'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
  }),
});

/** Rows of the file that an analysis shows. */
export const SAMPLE_ROWS_MAX = 100;

/** The same as in the source of a dataset: what is left out is found by itself. */
export const analyzeFileSchema = z
  .strictObject({
    format: fileFormatSchema.optional().meta({ description: 'Found by itself when left out.' }),
    ...readingFields,
  })
  .optional()
  .meta({ id: 'AnalyzeFile' });

export type AnalyzeFileBody = z.infer<typeof analyzeFileSchema>;

const dialectSchema = z
  .object({
    delimiter: z.string(),
    quote: z.string(),
    escape: z.string(),
    header: z.boolean(),
    skip: z.int(),
    comment: z.string(),
  })
  .meta({ id: 'CsvDialect' });

const analyzedColumnSchema = z
  .object({
    name: z.string(),
    type: z.string().meta({ description: 'SQL type that the column would get.' }),
    nullable: z.boolean().nullable().meta({ description: 'Whether a NULL was seen; null where none was, so far.' }),
  })
  .meta({ id: 'AnalyzedColumn' });

export const fileAnalysisSchema = z
  .object({
    upload_id: idOf('upload'),
    format: fileFormatSchema,
    compression: z.enum(['none', 'gzip', 'zstd']),
    encoding: encodingSchema.nullable().meta({ description: 'Of CSV and JSON.' }),
    dialect: dialectSchema.nullable().meta({ description: 'How a CSV file is written; usable as `options`.' }),
    columns: z.array(analyzedColumnSchema),
    complete: z.boolean().meta({
      description:
        'Whether all of the file was looked at: then a conversion gives the same. Else only its beginning was, and what ' +
        'comes behind may make a type wider, add a column of JSON, or be wrong.',
    }),
    row_count: z.int().nullable().meta({ description: 'Null where it would take too long to find out.' }),
    row_estimate: z.int().meta({ description: 'About how many rows there are; `row_count` where that is known.' }),
    sample: z.object({ columns: z.array(z.string()), types: z.array(z.string()), rows: rowsSchema }),
    warnings: z.array(z.string()).meta({ description: 'What had to be decided, for people.' }),
  })
  .meta({ id: 'FileAnalysis' });

export type FileAnalysisBody = z.infer<typeof fileAnalysisSchema>;
