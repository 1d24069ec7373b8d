import { z } from 'zod';
import { textSchema } from './common.js';
import { uploadSchema } from './files.js';

/** Parts of one upload, as the store has it. */
export const PARTS_MAX = 10_000;

/** Addresses that one answer has at most. */
export const PART_URLS_MAX = 100;

const partNumberSchema = z
  .int()
  .min(1)
  .max(PARTS_MAX)
  .meta({ description: `From 1 to ${PARTS_MAX}.` });

const sha256Schema = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'Must be a SHA-256 in hexadecimal.')
  .transform((text) => text.toLowerCase())
  .meta({ description: 'SHA-256 of the bytes as they are sent, in hexadecimal. It is verified at the end.' });

export const presignUploadSchema = z.strictObject({
  size_bytes: z.int().min(1).meta({ description: 'How large the file is, exactly.' }),
  content_type: textSchema.max(255).optional(),
  content_encoding: z.enum(['gzip', 'zstd', 'identity']).optional(),
  filename: textSchema.optional(),
  sha256: sha256Schema.optional(),
});

export const partUrlSchema = z
  .object({
    part_number: partNumberSchema,
    size_bytes: z.int().meta({ description: 'How many bytes the part has; another number is refused by the store.' }),
    url: z
      .string()
      .meta({ description: 'Takes one PUT of the bytes of the part. It needs no key, so keep it secret.' }),
  })
  .meta({ id: 'PartUrl' });

const urlsExpireSchema = z.iso.datetime({ offset: true }).meta({
  description: 'Until when the addresses are good, and the upload waits to hear of you.',
});

export const presignedUploadSchema = uploadSchema
  .extend({
    part_size_bytes: z.int().meta({ description: 'Of every part but the last, which has the rest.' }),
    part_count: z.int(),
    parts: z.array(partUrlSchema).meta({ description: `The first parts, ${PART_URLS_MAX} at most.` }),
    expires_at: urlsExpireSchema,
  })
  .meta({ id: 'PresignedUpload' });

export type PresignedUploadBody = z.infer<typeof presignedUploadSchema>;

export const signPartsSchema = z.strictObject({
  part_numbers: z.array(partNumberSchema).min(1).max(PART_URLS_MAX),
});

export const signedPartsSchema = z
  .object({ parts: z.array(partUrlSchema), expires_at: urlsExpireSchema })
  .meta({ id: 'SignedParts' });

export type SignedPartsBody = z.infer<typeof signedPartsSchema>;

export const completeUploadSchema = z.strictObject({
  parts: z
    .array(
      z.strictObject({
        part_number: partNumberSchema,
        etag: z.string().min(1).max(200).meta({ description: "The `ETag` of the store's answer to the PUT." }),
      }),
    )
    .min(1)
    .max(PARTS_MAX),
  sha256: sha256Schema.optional(),
});
