import { open, rm, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError, type ByteRange } from '@millrace/domain';
import { FILE_MODE } from './folder-files.js';
import type { S3Connection } from './s3-connection.js';
import { getBytes, headObject, missing } from './s3-get.js';
import { withStorageErrors } from './storage-error.js';

/** One range is fetched while others are; larger ones would only begin later. */
const RANGE_BYTES = 8 * 1024 * 1024;
const RANGES_AT_ONCE_MAX = 4;

/** The SDK tries again until an answer has begun; a body that breaks off is asked for again here. */
const RANGE_ATTEMPTS_MAX = 3;
const RANGE_PAUSE_MS = 200;

export interface S3Download {
  readonly key: string;
  /** Where the file is made; nothing may be there. */
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Downloads an object to a new, read-only file, several ranges at once. The file has the object's size, or is gone
 * again. It is a copy that can be had anew, so nothing waits for the disk.
 */
export async function downloadObject(connection: S3Connection, { key, path, signal }: S3Download): Promise<void> {
  const found = await headObject(connection, key, { signal });
  if (!found) throw missing();
  const handle = await createFile(path);
  try {
    await downloadRanges(connection, { key, handle, sizeBytes: found.sizeBytes, signal });
    await withStorageErrors(() => handle.chmod(FILE_MODE));
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await handle.close().catch(() => undefined);
  }
}

/** Its folder not being there is no missing object. */
async function createFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (cause) {
    throw new DomainError('storage.unavailable', 'The local copy of a file can not be made.', { cause });
  }
}

interface Ranges {
  readonly key: string;
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly signal: AbortSignal | undefined;
}

async function downloadRanges(connection: S3Connection, ranges: Ranges): Promise<void> {
  const failed = new AbortController();
  const signal = ranges.signal ? AbortSignal.any([ranges.signal, failed.signal]) : failed.signal;
  let nextStart = 0;
  const work = async (): Promise<void> => {
    while (nextStart < ranges.sizeBytes) {
      const start = nextStart;
      nextStart += RANGE_BYTES;
      const range = { start, end: Math.min(nextStart, ranges.sizeBytes) - 1 };
      await downloadRange(connection, { ...ranges, signal }, range);
    }
  };
  const workers = Array.from({ length: RANGES_AT_ONCE_MAX }, () =>
    work().catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  // All of them end before the file is closed.
  await Promise.allSettled(workers);
  ranges.signal?.throwIfAborted();
  failed.signal.throwIfAborted();
}

async function downloadRange(connection: S3Connection, ranges: Ranges, range: ByteRange): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await writeRange(connection, ranges, range);
    } catch (error) {
      ranges.signal?.throwIfAborted();
      const passes = error instanceof DomainError && error.code === 'storage.unavailable';
      if (!passes || attempt >= RANGE_ATTEMPTS_MAX) throw error;
      await sleep(Math.random() * RANGE_PAUSE_MS * 2 ** attempt);
    }
  }
}

async function writeRange(connection: S3Connection, ranges: Ranges, range: ByteRange): Promise<void> {
  const { key, handle, signal } = ranges;
  const bytes = await getBytes(connection, key, { range, signal });
  if (!bytes) throw new DomainError('storage.unavailable', 'A file of the object store is shorter than it was.');
  let position = range.start;
  for await (const chunk of bytes) {
    await withStorageErrors(() => writeFully(handle, chunk, position));
    position += chunk.byteLength;
  }
}

/** One call of `write` may take only a part. */
async function writeFully(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < chunk.byteLength) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.byteLength - written, position + written);
    written += bytesWritten;
  }
}
