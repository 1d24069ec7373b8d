import { type BlobKey, type BlobRegister, type ByteStream, type ObjectStore, type WrittenBlob } from '@millrace/domain';
import { hashFile } from './hash-file.js';
import { meterBytes } from './meter-bytes.js';

/** The lease is extended three times before it would end. */
const EXTENSIONS_PER_LEASE = 3;

export interface BlobBody {
  readonly body: ByteStream;
  /** Throws `upload.too_large` beyond it. */
  readonly bytesMax?: number;
  readonly signal?: AbortSignal;
}

export interface BlobFile {
  /** A file that does not change any more; it stays where it is. */
  readonly path: string;
  readonly signal?: AbortSignal;
}

/**
 * Writes bytes into the store so that none is ever there without a row: the key is registered first, its lease is kept
 * alive while the bytes stream, and what fails half-way is given up. The caller commits the written blob in the
 * transaction of the thing that refers to it, or gives it up.
 */
export class BlobWriter {
  constructor(
    private readonly store: ObjectStore,
    private readonly register: BlobRegister,
    private readonly options: { readonly leaseMs: number },
  ) {}

  /** Streams a body under a key, counting and hashing it on the way. */
  async write(key: BlobKey, { body, bytesMax, signal }: BlobBody): Promise<WrittenBlob> {
    const metered = meterBytes(body, { ...(bytesMax !== undefined && { bytesMax }) });
    return this.withLease(key, signal, async (leased) => {
      await this.store.put(key.storageKey, metered, { signal: leased });
      return { storageKey: key.storageKey, ...metered.result() };
    });
  }

  /** Hashes a local file and stores a copy of it under a key. */
  async writeFile(key: BlobKey, { path, signal }: BlobFile): Promise<WrittenBlob> {
    return this.withLease(key, signal, async (leased) => {
      const { contentHash, sizeBytes } = await hashFile(path, leased);
      await this.store.putFile(key.storageKey, path, { signal: leased });
      return { storageKey: key.storageKey, contentHash, sizeBytes };
    });
  }

  /**
   * Gives up bytes that will not be committed. Never throws: what can't be said now, the end of the lease says later.
   * A commit whose answer was lost may have worked: then the bytes stay. Otherwise the object is deleted here, too, for
   * the case that the lease had ended and the register knows the key no more.
   */
  async giveUp(key: BlobKey): Promise<void> {
    try {
      if ((await this.register.abandonWriting(key)) === 'given_up') await this.store.delete(key.storageKey);
    } catch {
      // The sweeper finds the row, and the object behind it.
    }
  }

  private async withLease<T>(
    key: BlobKey,
    signal: AbortSignal | undefined,
    write: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { leaseMs } = this.options;
    await this.register.beginWriting({ ...key, leaseMs });
    const lost = new AbortController();
    let aliveAtMs = Date.now();
    const extend = async (): Promise<void> => {
      const startedAtMs = Date.now();
      try {
        await this.register.extendWriting({ ...key, leaseMs });
        aliveAtMs = startedAtMs;
      } catch (error) {
        // A database that is away for a moment does no harm. Only when the lease is over may the bytes be gone.
        if (Date.now() - aliveAtMs >= leaseMs) lost.abort(error);
      }
    };
    const timer = setInterval(() => void extend(), leaseMs / EXTENSIONS_PER_LEASE);
    try {
      return await write(signal ? AbortSignal.any([signal, lost.signal]) : lost.signal);
    } catch (error) {
      clearInterval(timer);
      await this.giveUp(key);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }
}
