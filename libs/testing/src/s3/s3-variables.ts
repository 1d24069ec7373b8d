import type { TestS3 } from './start-s3.js';

/** The settings by which services find a store: where it is, or where what stands before it is. */
export function s3Variables(
  { bucket, region, credentials, endpoint }: TestS3,
  seenAt: string = endpoint,
): Record<string, string> {
  return {
    S3_BUCKET: bucket,
    S3_ENDPOINT: seenAt,
    S3_PUBLIC_ENDPOINT: seenAt,
    S3_REGION: region,
    S3_FORCE_PATH_STYLE: 'true',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}
