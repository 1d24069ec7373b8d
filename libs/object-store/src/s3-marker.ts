import type { S3CallOptions, S3Connection } from './s3-connection.js';
import { headObject } from './s3-get.js';
import { oneChunk } from './one-chunk.js';
import { putBody, type S3Target } from './s3-put.js';

/** Says that a bucket is a store, as the file of the same name does in a folder. No tenant has such a key. */
const KEY = '.millrace-store';
const BYTES = Buffer.from('This bucket is the object store of a Millrace.\n');

/** @throws DomainError `storage.unavailable` */
export async function isMarked(connection: S3Connection, options: S3CallOptions): Promise<boolean> {
  return (await headObject(connection, KEY, options)) !== undefined;
}

/** Once more changes nothing. @throws DomainError `storage.unavailable`, `storage.full` */
export async function mark(
  connection: S3Connection,
  { encryption, signal }: S3CallOptions & Pick<S3Target, 'encryption'>,
): Promise<void> {
  await putBody(connection, { key: KEY, encryption }, { body: oneChunk(BYTES), signal });
}
