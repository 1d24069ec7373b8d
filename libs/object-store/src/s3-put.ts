import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type CreateMultipartUploadCommandOutput,
} from '@aws-sdk/client-s3';
import { DomainError, type ByteStream } from '@millrace/domain';
import { abortable } from './abortable.js';
import { gatherParts, nextPartBytes } from './part-plan.js';
import type { S3CallOptions, S3Connection } from './s3-connection.js';
import { s3Error, s3Failure } from './s3-error.js';
import type { S3Encryption } from './s3-store-options.js';

/** Parts on their way at once, as long as they are small; a part that is larger than all of them goes alone. */
const PARTS_IN_FLIGHT_MAX = 3;
const BYTES_IN_FLIGHT_MAX = PARTS_IN_FLIGHT_MAX * 5 * 1024 * 1024;

/** How long a failed put takes to clean up behind itself; what is left then is found by `delete` and `list`. */
const CLEAN_UP_MAX_MS = 10_000;

export interface S3Target {
  readonly key: string;
  readonly encryption: S3Encryption | undefined;
}

/**
 * Streams a body into an object: in one call when it is small, else in parts. S3 shows an object when it is whole. What
 * was begun and failed is given up again. Memory: the part that gathers and those on their way, 20 MiB for an object of
 * up to 6 GiB, two parts (some thousandth of the object) beyond.
 *
 * @returns the size in bytes
 * @throws what the body throws, as it is; the signal's reason; DomainErrors
 */
export async function putBody(
  connection: S3Connection,
  target: S3Target,
  { body, signal }: S3CallOptions & { readonly body: ByteStream },
): Promise<number> {
  // A part that failed ends the wait for a body that is silent.
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const parts = gatherParts(abortable(body, either));
  try {
    const first = await parts.next();
    const bytes = first.done === true ? Buffer.alloc(0) : first.value;
    if (bytes.byteLength < nextPartBytes(0)) return await putWhole(connection, target, { bytes, signal });
    return await new MultipartPut(connection, target, failed).run(withFirst(bytes, parts), either);
  } finally {
    await parts.return(undefined);
  }
}

async function* withFirst(first: Buffer, others: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* others;
}

async function putWhole(
  connection: S3Connection,
  { key, encryption }: S3Target,
  { bytes, signal }: S3CallOptions & { readonly bytes: Buffer },
): Promise<number> {
  const { bucket, client } = connection;
  await connection.call('PutObject', { signal, bodyBytes: bytes.byteLength }, (options) =>
    client.send(
      new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ...encryptionFields(encryption) }),
      options,
    ),
  );
  return bytes.byteLength;
}

class MultipartPut {
  readonly #inFlight = new Set<Promise<void>>();
  readonly #done: CompletedPart[] = [];
  #bytesInFlight = 0;
  #sentBytes = 0;
  #partNumber = 0;

  constructor(
    private readonly connection: S3Connection,
    private readonly target: S3Target,
    private readonly failed: AbortController,
  ) {}

  async run(parts: AsyncIterable<Buffer>, signal: AbortSignal): Promise<number> {
    const uploadId = await this.#begin(signal);
    try {
      for await (const bytes of parts) {
        await this.#waitForRoom(bytes.byteLength);
        signal.throwIfAborted();
        this.#send({ uploadId, bytes, signal });
      }
      await Promise.all(this.#inFlight);
      signal.throwIfAborted();
      await this.#complete(uploadId, signal);
      return this.#sentBytes;
    } catch (error) {
      await this.#giveUp(uploadId, error);
      throw error;
    }
  }

  async #begin(signal: AbortSignal): Promise<string> {
    const { connection, target } = this;
    const answer = await connection.call('CreateMultipartUpload', { signal }, (options) =>
      connection.client.send(
        new CreateMultipartUploadCommand({
          Bucket: connection.bucket,
          Key: target.key,
          ChecksumAlgorithm: 'CRC32',
          ...encryptionFields(target.encryption),
        }),
        options,
      ),
    );
    return uploadIdOf(answer);
  }

  async #waitForRoom(bytes: number): Promise<void> {
    while (this.#inFlight.size > 0 && this.#bytesInFlight + bytes > BYTES_IN_FLIGHT_MAX) {
      await Promise.race(this.#inFlight);
    }
  }

  #send(part: { readonly uploadId: string; readonly bytes: Buffer; readonly signal: AbortSignal }): void {
    const { byteLength } = part.bytes;
    this.#bytesInFlight += byteLength;
    this.#sentBytes += byteLength;
    this.#partNumber += 1;
    const sending = this.#sendPart(this.#partNumber, part)
      .catch((error: unknown) => this.failed.abort(error))
      .finally(() => {
        this.#bytesInFlight -= byteLength;
        this.#inFlight.delete(sending);
      });
    this.#inFlight.add(sending);
  }

  async #sendPart(
    number: number,
    { uploadId, bytes, signal }: { uploadId: string; bytes: Buffer; signal: AbortSignal },
  ): Promise<void> {
    const { connection, target } = this;
    const { ETag, ChecksumCRC32 } = await connection.call(
      'UploadPart',
      { signal, bodyBytes: bytes.byteLength },
      (options) =>
        connection.client.send(
          new UploadPartCommand({
            Bucket: connection.bucket,
            Key: target.key,
            UploadId: uploadId,
            PartNumber: number,
            Body: bytes,
          }),
          options,
        ),
    );
    // Stores that know checksums want to hear them again at the end; others gave none.
    this.#done.push({ PartNumber: number, ETag, ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }) });
  }

  /** An answer may be lost, and the SDK's next try then finds no upload: the object says whether it worked. */
  async #complete(uploadId: string, signal: AbortSignal): Promise<void> {
    const { connection, target } = this;
    const parts = this.#done.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    const command = new CompleteMultipartUploadCommand({
      Bucket: connection.bucket,
      Key: target.key,
      UploadId: uploadId,
      MultipartUpload: { Parts: parts },
    });
    try {
      await connection.callRaw('CompleteMultipartUpload', { signal }, (options) =>
        connection.client.send(command, options),
      );
    } catch (error) {
      signal.throwIfAborted();
      if (s3Failure(error).name === 'NoSuchUpload' && (await this.#isWhole(signal))) return;
      throw s3Error(error, connection.contextOf('CompleteMultipartUpload'));
    }
  }

  async #isWhole(signal: AbortSignal): Promise<boolean> {
    const { connection, target } = this;
    try {
      const head = await connection.call('HeadObject', { signal }, (options) =>
        connection.client.send(new HeadObjectCommand({ Bucket: connection.bucket, Key: target.key }), options),
      );
      return head.ContentLength === this.#sentBytes;
    } catch {
      return false;
    }
  }

  /** Never throws: the first error counts. Parts on their way end before the upload does, or they would stay. */
  async #giveUp(uploadId: string, reason: unknown): Promise<void> {
    this.failed.abort(reason);
    await Promise.all(this.#inFlight);
    const { connection, target } = this;
    const command = new AbortMultipartUploadCommand({
      Bucket: connection.bucket,
      Key: target.key,
      UploadId: uploadId,
    });
    const signal = AbortSignal.timeout(CLEAN_UP_MAX_MS);
    await connection
      .call('AbortMultipartUpload', { signal }, (options) => connection.client.send(command, options))
      .catch(() => undefined);
  }
}

/** @throws DomainError `storage.unavailable` when the answer to the begin of an upload does not name it */
export function uploadIdOf({ UploadId: uploadId }: CreateMultipartUploadCommandOutput): string {
  if (uploadId !== undefined) return uploadId;
  throw new DomainError('storage.unavailable', 'The object store began an upload without a name.');
}

/** How an object is to be encrypted, as the calls that begin one want it. */
export function encryptionFields(encryption: S3Encryption | undefined) {
  if (encryption === undefined) return {};
  if (encryption.algorithm === 'AES256') return { ServerSideEncryption: encryption.algorithm };
  return {
    ServerSideEncryption: encryption.algorithm,
    ...(encryption.kmsKeyId !== undefined && { SSEKMSKeyId: encryption.kmsKeyId }),
  };
}
