import { AbortMultipartUploadCommand, DeleteObjectCommand, ListPartsCommand } from '@aws-sdk/client-s3';
import { DomainError } from '@millrace/domain';
import type { S3CallOptions, S3Connection, S3Operation, S3SendOptions } from './s3-connection.js';
import { oneChunk } from './one-chunk.js';
import { s3Error, s3Failure } from './s3-error.js';
import { getBytes } from './s3-get.js';
import { listHalfWritten } from './s3-listing.js';
import { putBody, type S3Target } from './s3-put.js';

/** One for all processes, so that those which die in between leave one small object. No tenant has such a key. */
const KEY = 'millrace-access-check';
const BYTES = Buffer.from('Services try here at their start whether they may use this bucket.\n');
/** Nobody's: whether one may do something with an upload, S3 says before it looks for it. */
const NO_UPLOAD = 'millrace-no-upload';

type Encryption = Pick<S3Target, 'encryption'>;

/**
 * Does once what the services do with a bucket, for a policy, or a key of encryption, that does not allow it: without this
 * a process would seem able to work, and each request would fail.
 *
 * @throws DomainError `storage.unavailable` that names the action which is not allowed
 */
export async function checkAccess(connection: S3Connection, options: S3CallOptions & Encryption): Promise<void> {
  const { encryption, signal } = options;
  await putBody(connection, { key: KEY, encryption }, { body: oneChunk(BYTES), signal });
  await readBack(connection, signal);
  const object = { Bucket: connection.bucket, Key: KEY };
  await connection.call('DeleteObject', { signal }, (send) =>
    connection.client.send(new DeleteObjectCommand(object), send),
  );
  const upload = { ...object, UploadId: NO_UPLOAD };
  await checkCall(connection, 'ListParts', (send) => connection.client.send(new ListPartsCommand(upload), send));
  await checkCall(connection, 'AbortMultipartUpload', (send) =>
    connection.client.send(new AbortMultipartUploadCommand(upload), send),
  );
  for await (const _ of listHalfWritten(connection, KEY, { signal }));
}

/** Another process that checks at the same time may have deleted it: that it is missing is also an answer. */
async function readBack(connection: S3Connection, signal: AbortSignal | undefined): Promise<void> {
  try {
    for await (const _ of (await getBytes(connection, KEY, { signal })) ?? []);
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'storage.object_missing') throw error;
  }
}

/** Servers say in several ways that there is no such upload; only whoever may not even ask is refused. */
async function checkCall(
  connection: S3Connection,
  operation: S3Operation,
  send: (options: S3SendOptions) => Promise<unknown>,
): Promise<void> {
  try {
    await connection.callRaw(operation, {}, send);
  } catch (error) {
    const { status } = s3Failure(error);
    const isAllowed = status !== undefined && status >= 400 && status < 500 && status !== 403;
    if (!isAllowed) throw s3Error(error, connection.contextOf(operation));
  }
}
