import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { S3_LIMITS, type S3StoreOptions } from './s3-store-options.js';

/** A server that is not AWS rarely has regions, but the signature needs one. */
const REGION_OF_OTHERS = 'us-east-1';

/**
 * A client of the SDK as all calls want it: with bounded tries and times.
 *
 * @param config.requestChecksumCalculation see the SDK; the default is whenever a checksum is possible
 */
export function createS3Client(
  options: S3StoreOptions,
  config: Pick<S3ClientConfig, 'requestChecksumCalculation'> = {},
): S3Client {
  const limits = { ...S3_LIMITS, ...options.limits };
  const region = options.region ?? (options.endpoint === undefined ? undefined : REGION_OF_OTHERS);
  const agent = { keepAlive: true, maxSockets: limits.socketsMax };
  return new S3Client({
    ...config,
    ...(region !== undefined && { region }),
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(options.credentials && { credentials: options.credentials }),
    forcePathStyle: options.forcePathStyle ?? false,
    retryMode: 'standard',
    maxAttempts: limits.attemptsMax,
    requestHandler: {
      connectionTimeout: limits.connectTimeoutMs,
      requestTimeout: limits.idleTimeoutMs,
      throwOnRequestTimeout: true,
      // It would also end an answer whose reader is slow; `S3ObjectBytes` times only what it waits for.
      socketTimeout: 0,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
}
