import { constants, open, type FileHandle } from 'node:fs/promises';
import type { ByteRange } from '@millrace/domain';
import { storageError, withStorageErrors } from './storage-error.js';

const CHUNK_BYTES = 256 * 1024;

export interface FileBytesOptions {
  readonly range?: ByteRange | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of an open file, in chunks. Owns the handle: it is closed at the end, after an error, by `return()` (also
 * before the first read, where a generator's `finally` would never run) and when the signal aborts.
 */
export class FileBytes implements AsyncIterableIterator<Uint8Array> {
  #position: number;
  #closed = false;
  readonly #end: number;
  readonly #onAbort = (): void => void this.#close();

  constructor(
    private readonly handle: FileHandle,
    private readonly options: FileBytesOptions,
  ) {
    this.#position = options.range?.start ?? 0;
    this.#end = options.range?.end ?? Number.MAX_SAFE_INTEGER;
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.options.signal?.throwIfAborted();
    const chunk = this.#closed ? undefined : await this.#read();
    if (chunk) return { done: false, value: chunk };
    await this.#close();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#close();
    return { done: true, value: undefined };
  }

  async #read(): Promise<Uint8Array | undefined> {
    const wantedBytes = Math.min(CHUNK_BYTES, this.#end - this.#position + 1);
    if (wantedBytes <= 0) return undefined;
    try {
      const { bytesRead, buffer } = await this.handle.read(Buffer.allocUnsafeSlow(wantedBytes), {
        position: this.#position,
      });
      this.#position += bytesRead;
      return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
    } catch (error) {
      await this.#close();
      this.options.signal?.throwIfAborted();
      throw storageError(error);
    }
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.options.signal?.removeEventListener('abort', this.#onAbort);
    // Nothing was written, so a close that fails loses nothing.
    await this.handle.close().catch(() => undefined);
  }
}

/** Opens a file for reading; a link is not followed. @throws the signal's reason; I/O errors as DomainErrors */
export async function openFileBytes(path: string, options: FileBytesOptions): Promise<FileBytes> {
  options.signal?.throwIfAborted();
  const handle = await withStorageErrors(() => open(path, constants.O_RDONLY | constants.O_NOFOLLOW));
  const bytes = new FileBytes(handle, options);
  if (options.signal?.aborted) await bytes.return();
  options.signal?.throwIfAborted();
  return bytes;
}

/** Runs with the bytes of a file, which is closed afterwards. @throws as `openFileBytes` does; what is run throws */
export async function withFileBytes<T>(
  path: string,
  options: FileBytesOptions,
  run: (bytes: FileBytes) => Promise<T>,
): Promise<T> {
  const bytes = await openFileBytes(path, options);
  try {
    return await run(bytes);
  } finally {
    await bytes.return();
  }
}
