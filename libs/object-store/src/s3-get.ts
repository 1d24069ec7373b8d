import type { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type GetObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { DomainError, type ByteRange, type StoredObject } from '@millrace/domain';
import type { S3CallOptions, S3Connection } from './s3-connection.js';
import { isMissing, s3Error, s3Failure } from './s3-error.js';
import { S3ObjectBytes } from './s3-object-bytes.js';

export type RangeOptions = S3CallOptions & { readonly range?: ByteRange };

/**
 * The bytes of an object, or a range of them, or undefined when there are none: the object is empty, or the range is
 * behind its end. Asks for a range in any case: the answer then names the whole size, so that a body with too few bytes
 * shows even when its own length agrees with it.
 *
 * @throws DomainError `storage.object_missing` and those of every call
 */
export async function getBytes(
  connection: S3Connection,
  key: string,
  { range, signal }: RangeOptions,
): Promise<S3ObjectBytes | undefined> {
  const start = range?.start ?? 0;
  const command = new GetObjectCommand({
    Bucket: connection.bucket,
    Key: key,
    Range: `bytes=${start}-${range?.end ?? ''}`,
  });
  signal?.throwIfAborted();
  try {
    const answer = await connection.callRaw('GetObject', { signal }, (options) =>
      connection.client.send(command, options),
    );
    return bytesOf(answer, { start, end: range?.end, signal, idleTimeoutMs: connection.limits.idleTimeoutMs });
  } catch (error) {
    signal?.throwIfAborted();
    if (s3Failure(error).name === 'InvalidRange') return undefined;
    if (s3Failure(error).name === 'NoSuchKey') throw missing(error);
    throw s3Error(error, connection.contextOf('GetObject'));
  }
}

/**
 * The object's size, or undefined when there is none. A HEAD has no body, so its 404 may also be the bucket's, or that
 * of something that is no store at all; then the bucket is asked for, since a store that is away has lost nothing.
 */
export async function headObject(
  connection: S3Connection,
  key: string,
  { signal }: S3CallOptions,
): Promise<StoredObject | undefined> {
  const command = new HeadObjectCommand({ Bucket: connection.bucket, Key: key });
  signal?.throwIfAborted();
  try {
    const { ContentLength: sizeBytes } = await connection.callRaw('HeadObject', { signal }, (options) =>
      connection.client.send(command, options),
    );
    if (sizeBytes === undefined) throw new RangeError('The answer has no length.');
    return { key, sizeBytes };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isMissing(error)) throw s3Error(error, connection.contextOf('HeadObject'));
    await checkBucket(connection, { signal });
    return undefined;
  }
}

/** @throws DomainError `storage.unavailable` when the bucket is not there */
async function checkBucket(connection: S3Connection, { signal }: S3CallOptions): Promise<void> {
  const command = new HeadBucketCommand({ Bucket: connection.bucket });
  try {
    await connection.callRaw('HeadBucket', { signal }, (options) => connection.client.send(command, options));
  } catch (error) {
    signal?.throwIfAborted();
    const { status } = s3Failure(error);
    const cause = status === 404 ? { name: 'NoSuchBucket', cause: error } : error;
    throw s3Error(cause, connection.contextOf('HeadBucket'));
  }
}

/** The error for an object that should be there. */
export function missing(cause?: unknown): DomainError {
  return new DomainError('storage.object_missing', 'A file that should be in the object store is not there.', {
    cause,
  });
}

interface Wanted {
  readonly start: number;
  readonly end: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly idleTimeoutMs: number;
}

function bytesOf(answer: GetObjectCommandOutput, wanted: Wanted): S3ObjectBytes {
  // On Node the SDK gives a Node stream; its type also covers browsers.
  const body = answer.Body as Readable;
  try {
    const { signal, idleTimeoutMs } = wanted;
    return new S3ObjectBytes(body, { expectedBytes: expectedBytes(answer, wanted), idleTimeoutMs, signal });
  } catch (error) {
    body.on('error', () => undefined).destroy();
    throw error;
  }
}

const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+)$/;

/** How many bytes a right answer has, from what was asked for and the size of the object. */
function expectedBytes({ ContentRange: range = '' }: GetObjectCommandOutput, { start, end }: Wanted): number {
  const [first, last, size] = (CONTENT_RANGE.exec(range) ?? []).slice(1).map(Number);
  if (first === undefined || last === undefined || size === undefined) throw wrongRange(range);
  const wantedLast = Math.min(end ?? size - 1, size - 1);
  if (first !== start || last !== wantedLast) throw wrongRange(range);
  return wantedLast - start + 1;
}

function wrongRange(range: string): DomainError {
  return new DomainError('storage.unavailable', 'The object store gave other bytes than those it was asked for.', {
    cause: new RangeError(`Content-Range: ${JSON.stringify(range)}`),
  });
}
