import {
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  type MultipartUpload,
  type Part,
} from '@aws-sdk/client-s3';
import type { StoredObject } from '@millrace/domain';
import { isObjectKey } from './object-keys.js';
import type { S3CallOptions, S3Connection } from './s3-connection.js';
import { s3Error, s3Failure } from './s3-error.js';

/** An upload in parts that was begun and neither completed nor given up. */
export interface HalfWritten {
  readonly key: string;
  readonly uploadId: string;
}

/** Objects below a prefix, page by page. What the key maker did not make is not ours, and left out. */
export async function* listObjects(
  connection: S3Connection,
  prefix: string,
  { signal }: S3CallOptions,
): AsyncGenerator<StoredObject> {
  let continuation: string | undefined;
  do {
    const command = new ListObjectsV2Command({
      Bucket: connection.bucket,
      Prefix: prefix,
      MaxKeys: connection.limits.pageKeysMax,
      ...(continuation !== undefined && { ContinuationToken: continuation }),
    });
    const page = await connection.call('ListObjectsV2', { signal }, (options) =>
      connection.client.send(command, options),
    );
    for (const { Key: key, Size: sizeBytes } of page.Contents ?? []) {
      if (key !== undefined && isObjectKey(key)) yield { key, sizeBytes: sizeBytes ?? 0 };
    }
    continuation = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (continuation !== undefined);
}

/**
 * Half-written uploads below a prefix, page by page. A store that does not know the call keeps its own order among
 * them (and S3's own rule to expire them does the rest), so there are none to be found.
 */
export async function* listHalfWritten(
  connection: S3Connection,
  prefix: string,
  { signal }: S3CallOptions,
): AsyncGenerator<HalfWritten> {
  let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
  while (marker !== undefined) {
    const page = await uploadsPage(connection, { prefix, signal, marker });
    for (const upload of page?.Uploads ?? []) if (isOurs(upload)) yield { key: upload.Key, uploadId: upload.UploadId };
    marker = page?.IsTruncated === true && page.NextKeyMarker !== undefined ? markerOf(page) : undefined;
  }
}

/** The bytes of the parts that have arrived, or undefined when the upload has ended in the meantime. */
export async function halfWrittenBytes(
  connection: S3Connection,
  upload: HalfWritten,
  options: S3CallOptions,
): Promise<number | undefined> {
  let bytes = 0;
  for await (const part of listParts(connection, upload, options)) {
    if (part === 'no upload') return undefined;
    bytes += part.Size ?? 0;
  }
  return bytes;
}

/** The parts of an upload that have arrived, page by page; `no upload` where there is none, or none any more. */
export async function* listParts(
  connection: S3Connection,
  { key, uploadId }: HalfWritten,
  { signal }: S3CallOptions,
): AsyncGenerator<Part | 'no upload'> {
  let marker: string | undefined;
  do {
    const command = new ListPartsCommand({
      Bucket: connection.bucket,
      Key: key,
      UploadId: uploadId,
      MaxParts: connection.limits.pageKeysMax,
      ...(marker !== undefined && { PartNumberMarker: marker }),
    });
    const page = await orNoneIf(connection, 'NoSuchUpload', {
      operation: 'ListParts',
      signal,
      run: () => connection.callRaw('ListParts', { signal }, (options) => connection.client.send(command, options)),
    });
    if (page) yield* page.Parts ?? [];
    else yield 'no upload';
    marker = page?.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
}

async function uploadsPage(
  connection: S3Connection,
  { prefix, signal, marker }: { prefix: string; signal: AbortSignal | undefined; marker: object },
) {
  const command = new ListMultipartUploadsCommand({
    Bucket: connection.bucket,
    Prefix: prefix,
    MaxUploads: connection.limits.pageKeysMax,
    ...marker,
  });
  return orNoneIf(connection, 'NotImplemented', {
    operation: 'ListMultipartUploads',
    signal,
    run: () =>
      connection.callRaw('ListMultipartUploads', { signal }, (options) => connection.client.send(command, options)),
  });
}

function markerOf(page: { NextKeyMarker?: string | undefined; NextUploadIdMarker?: string | undefined }) {
  return {
    ...(page.NextKeyMarker !== undefined && { KeyMarker: page.NextKeyMarker }),
    ...(page.NextUploadIdMarker !== undefined && { UploadIdMarker: page.NextUploadIdMarker }),
  };
}

const isOurs = (upload: MultipartUpload): upload is MultipartUpload & { Key: string; UploadId: string } =>
  upload.Key !== undefined && upload.UploadId !== undefined && isObjectKey(upload.Key);

async function orNoneIf<T>(
  connection: S3Connection,
  name: string,
  {
    operation,
    signal,
    run,
  }: {
    operation: 'ListParts' | 'ListMultipartUploads';
    signal: AbortSignal | undefined;
    run: () => Promise<T>;
  },
): Promise<T | undefined> {
  signal?.throwIfAborted();
  try {
    return await run();
  } catch (error) {
    signal?.throwIfAborted();
    if (s3Failure(error).name === name) return undefined;
    throw s3Error(error, connection.contextOf(operation));
  }
}
