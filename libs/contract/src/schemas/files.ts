import { statesOf, uploadLifecycle } from '@millrace/domain';
import { z } from 'zod';
import { errorRecordSchema, idOf, pageFields, pageQuerySchema, timestampSchema } from './common.js';

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
