import { AbortMultipartUploadCommand, DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { ByteRange, ByteStream, DirectUploads, ObjectStore, StoredObject, StoreOptions } from '@millrace/domain';
import { S3DirectUploads } from './direct-uploads.s3.js';
import { withFileBytes } from './file-bytes.js';
import { checkKey, checkPrefix } from './object-keys.js';
import { checkRange } from './range.js';
import { checkAccess } from './s3-access.js';
import { S3Connection } from './s3-connection.js';
import { getBytes, headObject } from './s3-get.js';
import { halfWrittenBytes, listHalfWritten, listObjects, type HalfWritten } from './s3-listing.js';
import { isMarked, mark } from './s3-marker.js';
import { putBody } from './s3-put.js';
import { s3Error, s3Failure } from './s3-error.js';
import type { S3StoreOptions } from './s3-store-options.js';

/**
 * An object store in a bucket of S3, or of a server that speaks its language. Objects are written in one call or in
 * parts, and are there when they are whole.
 */
export class S3ObjectStore implements ObjectStore {
  /** Uploads of clients that go past the services, into this store. */
  readonly directUploads: DirectUploads;
  readonly #connection: S3Connection;
  readonly #options: S3StoreOptions;

  constructor(options: S3StoreOptions) {
    this.#options = options;
    this.#connection = new S3Connection(options);
    this.directUploads = new S3DirectUploads(this.#connection, options);
  }

  async put(key: string, body: ByteStream, options: StoreOptions = {}): Promise<StoredObject> {
    checkKey(key);
    options.signal?.throwIfAborted();
    const target = { key, encryption: this.#options.encryption };
    const sizeBytes = await putBody(this.#connection, target, { ...options, body });
    return { key, sizeBytes };
  }

  async putFile(key: string, path: string, options: StoreOptions = {}): Promise<StoredObject> {
    checkKey(key);
    return withFileBytes(path, options, (bytes) => this.put(key, bytes, options));
  }

  /** A range is cut at the object's end; one that starts behind it has no bytes. */
  async get(key: string, options: StoreOptions & { readonly range?: ByteRange } = {}): Promise<ByteStream> {
    checkKey(key);
    if (options.range) checkRange(options.range);
    return (await getBytes(this.#connection, key, options)) ?? noBytes();
  }

  async find(key: string, options: StoreOptions = {}): Promise<StoredObject | undefined> {
    return headObject(this.#connection, checkKey(key), options);
  }

  /** Uploads in parts first: one that completes meanwhile is then an object, and deleted with it. */
  async delete(key: string, options: StoreOptions = {}): Promise<void> {
    checkKey(key);
    const connection = this.#connection;
    for await (const upload of listHalfWritten(connection, key, options)) {
      // A prefix, so there may be others.
      if (upload.key === key) await this.#abort(upload, options);
    }
    const command = new DeleteObjectCommand({ Bucket: connection.bucket, Key: key });
    await connection.call('DeleteObject', options, (send) => connection.client.send(command, send));
  }

  /**
   * Half-written uploads first: one that is completed in between shows among the objects, and nothing is missed. Their
   * keys are kept until the end, so that each is reported once.
   */
  async *list(prefix: string, options: StoreOptions = {}): AsyncGenerator<StoredObject> {
    checkPrefix(prefix);
    const reported = new Set<string>();
    for await (const upload of listHalfWritten(this.#connection, prefix, options)) {
      if (reported.has(upload.key) || (await this.find(upload.key, options))) continue;
      const sizeBytes = await halfWrittenBytes(this.#connection, upload, options);
      if (sizeBytes === undefined) continue;
      reported.add(upload.key);
      yield { key: upload.key, sizeBytes };
    }
    for await (const object of listObjects(this.#connection, prefix, options)) {
      if (!reported.has(object.key)) yield object;
    }
  }

  /** Lists a little: unlike a HEAD, its answer says what is wrong. */
  async ping(options: StoreOptions = {}): Promise<void> {
    const connection = this.#connection;
    const command = new ListObjectsV2Command({ Bucket: connection.bucket, Prefix: 't/', MaxKeys: 1 });
    await connection.call('ListObjectsV2', options, (send) => connection.client.send(command, send));
  }

  /**
   * Whether the bucket is there, and everything allowed that is done with it: tries each once. For the start of a process;
   * `ping` costs less.
   *
   * @throws DomainError `storage.unavailable` that names what is missing
   */
  async checkAccess(options: StoreOptions = {}): Promise<void> {
    await this.ping(options);
    await checkAccess(this.#connection, { ...options, encryption: this.#options.encryption });
  }

  /** Whether a Millrace has this bucket as its store. @throws DomainError `storage.unavailable` */
  isMarked(options: StoreOptions = {}): Promise<boolean> {
    return isMarked(this.#connection, options);
  }

  /** Makes the bucket a store. @throws DomainError `storage.unavailable`, `storage.full` */
  mark(options: StoreOptions = {}): Promise<void> {
    return mark(this.#connection, { ...options, encryption: this.#options.encryption });
  }

  /** Closes the connections. */
  close(): void {
    this.#connection.close();
  }

  async #abort({ key, uploadId }: HalfWritten, { signal }: StoreOptions): Promise<void> {
    const connection = this.#connection;
    const command = new AbortMultipartUploadCommand({ Bucket: connection.bucket, Key: key, UploadId: uploadId });
    try {
      await connection.callRaw('AbortMultipartUpload', { signal }, (send) => connection.client.send(command, send));
    } catch (error) {
      signal?.throwIfAborted();
      if (s3Failure(error).name !== 'NoSuchUpload') {
        throw s3Error(error, connection.contextOf('AbortMultipartUpload'));
      }
    }
  }
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}
