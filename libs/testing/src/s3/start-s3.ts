import { randomBytes } from 'node:crypto';
import { startS3Container } from './s3-container.js';
import { startS3rver } from './start-s3rver.js';

/** Variables that name a server for tests, where one is given. Its bucket must be there. */
export const S3_ENDPOINT_VARIABLE = 'MILLRACE_TEST_S3_ENDPOINT';
const BUCKET_VARIABLE = 'MILLRACE_TEST_S3_BUCKET';
const REGION_VARIABLE = 'MILLRACE_TEST_S3_REGION';

export interface TestS3 {
  readonly endpoint: string;
  readonly region: string;
  /** There, and empty unless it was given. */
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly forcePathStyle: true;
  stop(): Promise<void>;
}

/**
 * A store that speaks S3: the one of `MILLRACE_TEST_S3_ENDPOINT` where it is set (with `MILLRACE_TEST_S3_BUCKET` and
 * `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`), else a container where Docker answers, else s3rver, in under a second.
 */
export async function startS3(): Promise<TestS3> {
  return givenS3() ?? (await startS3Container(newBucket())) ?? (await startS3rver(newBucket()));
}

function givenS3(): TestS3 | undefined {
  const endpoint = process.env[S3_ENDPOINT_VARIABLE];
  if (!endpoint) return undefined;
  return {
    endpoint,
    region: process.env[REGION_VARIABLE] ?? 'us-east-1',
    bucket: process.env[BUCKET_VARIABLE] ?? 'millrace-test',
    credentials: {
      accessKeyId: process.env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: process.env['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
    forcePathStyle: true,
    stop: () => Promise.resolve(),
  };
}

const newBucket = (): string => `test-${randomBytes(6).toString('hex')}`;
