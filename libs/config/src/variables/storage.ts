import { z } from 'zod';
import { GiB, hourMs, integer } from './kinds.js';

/** Where the bytes are, and what is kept of them on this machine. Keys of S3 are no settings of ours: the SDK looks for them itself. */
export const storageVariables = {
  S3_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'Not the name of a bucket.')
    .optional()
    .meta({ description: 'Bucket that is the object store. Left out, it is a folder in `DATA_DIR`.' }),
  S3_ENDPOINT: z.url().optional().meta({ description: 'Address of an S3 server that is not AWS.' }),
  S3_REGION: z.string().optional().meta({
    description:
      'Region of the bucket. Left out, it is what the AWS SDK finds (`AWS_REGION`, a profile); with `S3_ENDPOINT` it is `us-east-1`.',
  }),
  S3_FORCE_PATH_STYLE: z.enum(['true', 'false']).default('false').meta({
    description: 'The bucket stands in the path instead of the host name. Most servers that are not AWS want `true`.',
  }),
  S3_PUBLIC_ENDPOINT: z.url().optional().meta({
    description:
      'Address of the S3 server as clients see it. With an `S3_ENDPOINT` uploads past the gateway need it; it may be the same.',
  }),
  S3_SSE: z.enum(['none', 'AES256', 'aws:kms']).default('none').meta({
    description: 'What the store is asked to encrypt with. `none` leaves it to the rules of the bucket.',
  }),
  S3_SSE_KMS_KEY_ID: z.string().optional().meta({
    description: "Key for `S3_SSE=aws:kms`. Left out, it is the account's own for S3.",
  }),
  CACHE_BYTES_MAX: integer(
    'Copies of stored files that one query service keeps on its disk. What is being read may go beyond. A folder store needs none.',
    { min: 0, default: 20 * GiB },
  ),
  PRESIGNED_URL_MS: integer(
    'How long an address for a part of an upload past the gateway is good, and how long such an upload waits to hear of its client.',
    { min: 1_000, max: 12 * hourMs, default: hourMs },
  ),
};
