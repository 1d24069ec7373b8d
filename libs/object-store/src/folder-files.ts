import { mkdir, open, rm, rmdir, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ByteStream } from '@millrace/domain';
import { abortable } from './abortable.js';
import { systemCode, withStorageErrors } from './storage-error.js';

export const FILE_MODE = 0o444;
export const FOLDER_MODE = 0o700;

/** What is gathered before it is written. */
const BATCH_BYTES = 1024 * 1024;

/** A concurrent delete may remove a folder between its making and its first file; it is then made again. */
const FOLDER_ATTEMPTS_MAX = 20;

/**
 * Writes a new file that is on the disk when the call returns. What was begun and failed is removed again; a file that
 * was there before is left alone (`EEXIST`).
 *
 * @returns the size in bytes
 * @throws what the body throws, as it is; I/O errors as DomainErrors; the signal's reason
 */
export async function writeNewFile(path: string, body: ByteStream, signal?: AbortSignal): Promise<number> {
  const handle = await withStorageErrors(() => openNewFile(path));
  try {
    const sizeBytes = await writeBody(handle, abortable(body, signal));
    await withStorageErrors(async () => {
      await handle.chmod(FILE_MODE);
      await handle.sync();
    });
    return sizeBytes;
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await handle.close().catch(() => undefined);
  }
}

/**
 * Writes in batches, the next of which gathers while one is on its way to the disk: a write per chunk of a socket
 * (64 kB) would spend more time on calls than on bytes. Keeps at most two batches in memory.
 */
async function writeBody(handle: FileHandle, body: ByteStream): Promise<number> {
  let sizeBytes = 0;
  let batch: Uint8Array[] = [];
  let batchBytes = 0;
  let writing: Promise<void> = Promise.resolve();
  for await (const chunk of body) {
    batch.push(chunk);
    batchBytes += chunk.byteLength;
    if (batchBytes < BATCH_BYTES) continue;
    await writing;
    writing = writeBatch(handle, batch);
    // It is awaited with the next batch; until then its failure is nobody's unhandled rejection.
    writing.catch(() => undefined);
    sizeBytes += batchBytes;
    batch = [];
    batchBytes = 0;
  }
  await writing;
  await writeBatch(handle, batch);
  return sizeBytes + batchBytes;
}

function writeBatch(handle: FileHandle, batch: Uint8Array[]): Promise<void> {
  return withStorageErrors(async () => {
    if (batch.length === 0) return;
    const { bytesWritten } = await handle.writev(batch);
    const wanted = batch.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    if (bytesWritten < wanted) await writeAll(handle, Buffer.concat(batch).subarray(bytesWritten));
  });
}

/**
 * One call of `write` may take only a part.
 *
 * @param position of the first byte in the file; left out, the bytes follow those that were written last
 */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, position?: number): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const at = position === undefined ? null : position + written;
    const { bytesWritten } = await handle.write(bytes, written, bytes.byteLength - written, at);
    written += bytesWritten;
  }
}

/** Opens a file that must not be there (`EEXIST`), and makes the folders above it. */
export async function openNewFile(path: string): Promise<FileHandle> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
      return await open(path, 'wx', 0o600);
    } catch (error) {
      // Node's recursive mkdir says ENOTDIR when a folder goes between two of its steps.
      const isGone = ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '');
      if (!isGone || attempt >= FOLDER_ATTEMPTS_MAX) throw error;
    }
  }
}

/** Makes the names in a folder and in those above it, up to a root, survive a loss of power. */
export async function syncFolders(folder: string, root: string): Promise<void> {
  for (let current = folder; ; current = dirname(current)) {
    await syncFolder(current);
    if (current === root || !current.startsWith(root)) return;
  }
}

/** A folder that is gone has nothing to keep. */
async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/**
 * Removes a folder and those above it, below a root, as long as they are empty. Safe beside a concurrent `put`: only
 * empty folders go, and the put makes them again.
 */
export async function pruneFolders(folder: string, root: string): Promise<void> {
  for (let current = folder; current !== root && current.startsWith(root); current = dirname(current)) {
    try {
      await rmdir(current);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') return;
    }
  }
}
