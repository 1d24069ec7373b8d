import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  type Part,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import {
  DomainError,
  type DirectPart,
  type DirectUpload,
  type DirectUploads,
  type SentPart,
  type SignedPart,
  type StoreOptions,
} from '@millrace/domain';
import { checkKey } from './object-keys.js';
import { createS3Client } from './s3-client.js';
import type { S3Connection } from './s3-connection.js';
import { s3Error, s3Failure } from './s3-error.js';
import { headObject } from './s3-get.js';
import { listParts } from './s3-listing.js';
import { encryptionFields, uploadIdOf } from './s3-put.js';
import type { S3StoreOptions } from './s3-store-options.js';

/** What S3 says of parts that do not make an object. */
const INVALID_PARTS: ReadonlySet<string> = new Set(['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall']);

/** More of them help nobody. */
const NUMBERS_SHOWN_MAX = 10;

/** Uploads in parts by clients, to signed addresses. The length of each part is signed, too: no other fits. */
export class S3DirectUploads implements DirectUploads {
  /** Signs for the address that clients see, and never calls it. */
  readonly #signer: S3Client;

  constructor(
    private readonly connection: S3Connection,
    private readonly options: S3StoreOptions,
  ) {
    this.#signer = signerOf(options);
  }

  async begin(key: string, { signal }: StoreOptions = {}): Promise<DirectUpload> {
    checkKey(key);
    const { connection } = this;
    const command = new CreateMultipartUploadCommand({
      Bucket: connection.bucket,
      Key: key,
      ...encryptionFields(this.options.encryption),
    });
    const answer = await connection.call('CreateMultipartUpload', { signal }, (options) =>
      connection.client.send(command, options),
    );
    return { key, uploadId: uploadIdOf(answer) };
  }

  async signParts(
    { key, uploadId }: DirectUpload,
    { parts, expiresInMs }: { readonly parts: readonly DirectPart[]; readonly expiresInMs: number },
  ): Promise<SignedPart[]> {
    checkKey(key);
    const sign = async ({ number, sizeBytes }: DirectPart): Promise<SignedPart> => {
      const command = new UploadPartCommand({
        Bucket: this.connection.bucket,
        Key: key,
        UploadId: uploadId,
        PartNumber: number,
        ContentLength: sizeBytes,
      });
      const url = await getSignedUrl(this.#signer, command, {
        expiresIn: Math.ceil(expiresInMs / 1000),
        signableHeaders: new Set(['host', 'content-length']),
      });
      return { number, sizeBytes, url };
    };
    return this.connection.call('UploadPart', {}, () => Promise.all(parts.map(sign)));
  }

  async complete(
    upload: DirectUpload,
    { parts, sizeBytes, signal }: StoreOptions & { readonly parts: readonly SentPart[]; readonly sizeBytes: number },
  ): Promise<void> {
    const { connection } = this;
    const arrived = await this.#arrivedParts(upload, signal);
    if (!arrived) return this.#checkObject(upload, { sizeBytes, signal });
    checkParts(parts, { arrived, sizeBytes });
    const command = new CompleteMultipartUploadCommand({
      Bucket: connection.bucket,
      Key: upload.key,
      UploadId: upload.uploadId,
      MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
    });
    try {
      await connection.callRaw('CompleteMultipartUpload', { signal }, (options) =>
        connection.client.send(command, options),
      );
    } catch (error) {
      signal?.throwIfAborted();
      const { name } = s3Failure(error);
      // Somebody else completed it, or the first answer was lost.
      if (name === 'NoSuchUpload') return this.#checkObject(upload, { sizeBytes, signal });
      if (INVALID_PARTS.has(name)) throw partsInvalid(`The store says ${name}.`, error);
      throw s3Error(error, connection.contextOf('CompleteMultipartUpload'));
    }
  }

  /** The parts that the store has by their numbers, or undefined when it knows no such upload. */
  async #arrivedParts(
    { key, uploadId }: DirectUpload,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<number, Part> | undefined> {
    const arrived = new Map<number, Part>();
    for await (const part of listParts(this.connection, { key, uploadId }, { signal })) {
      if (part === 'no upload') return undefined;
      if (part.PartNumber !== undefined) arrived.set(part.PartNumber, part);
    }
    return arrived;
  }

  /** @throws DomainError `upload.expired` when there is no object of this size */
  async #checkObject(
    { key }: DirectUpload,
    { sizeBytes, signal }: { readonly sizeBytes: number; readonly signal: AbortSignal | undefined },
  ): Promise<void> {
    const object = await headObject(this.connection, key, { signal });
    if (object?.sizeBytes === sizeBytes) return;
    throw new DomainError('upload.expired', 'The store knows the upload no more. Begin a new one.');
  }
}

function signerOf(options: S3StoreOptions): S3Client {
  const { publicEndpoint: endpoint = options.endpoint, ...rest } = options;
  // Or an address would carry the checksum of an empty body, and the store would refuse every other.
  return createS3Client(
    { ...rest, ...(endpoint !== undefined && { endpoint }) },
    { requestChecksumCalculation: 'WHEN_REQUIRED' },
  );
}

/**
 * Looks at the parts before they are made one object, since there is no way back: afterwards nothing could be mended.
 *
 * @throws DomainError `upload.parts_invalid`
 */
function checkParts(
  parts: readonly SentPart[],
  { arrived, sizeBytes }: { readonly arrived: ReadonlyMap<number, Part>; readonly sizeBytes: number },
): void {
  const numbers = parts.map(({ number }) => number);
  if (numbers.some((number, index) => index > 0 && number <= (numbers[index - 1] ?? 0))) {
    throw partsInvalid('Their numbers do not rise.');
  }
  const missing = numbers.filter((number) => !arrived.has(number));
  if (missing.length > 0) throw partsInvalid(`The store does not have ${shown(missing)}.`);
  const others = parts.filter(({ number, etag }) => unquoted(arrived.get(number)?.ETag) !== unquoted(etag));
  if (others.length > 0)
    throw partsInvalid(`The etag is another one for ${shown(others.map(({ number }) => number))}.`);
  const bytes = numbers.reduce((sum, number) => sum + (arrived.get(number)?.Size ?? 0), 0);
  if (bytes !== sizeBytes) throw partsInvalid(`Together they have ${bytes} bytes, and ${sizeBytes} were announced.`);
}

const unquoted = (etag: string | undefined): string | undefined => etag?.replaceAll('"', '');

function shown(numbers: readonly number[]): string {
  const first = numbers.slice(0, NUMBERS_SHOWN_MAX).join(', ');
  return `part ${first}${numbers.length > NUMBERS_SHOWN_MAX ? ' and others' : ''}`;
}

function partsInvalid(reason: string, cause?: unknown): DomainError {
  return new DomainError('upload.parts_invalid', `The parts do not make the file. ${reason}`, { cause });
}
