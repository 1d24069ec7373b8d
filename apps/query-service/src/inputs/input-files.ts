import type { BlobRepository } from '@millrace/catalog';
import { DomainError, type ByteRange, type ByteStream, type ObjectStore, Slots, type TenantId } from '@millrace/domain';
import { errorFields, type Logger } from '@millrace/telemetry';
import type { CachedFile, FileCache } from './file-cache.js';

/** Files that one reader fetches at once. */
const FETCHES_AT_ONCE_MAX = 8;

/** A file in the store that somebody wants to read. */
export interface InputFile {
  readonly storageKey: string;
  readonly sizeBytes: number;
  /** See `CacheRequest.verify`. */
  readonly verify?: boolean;
}

export interface PinRequest {
  readonly tenantId: TenantId;
  /** Who reads: unique among the readers of the tenant. */
  readonly holder: string;
  readonly files: readonly InputFile[];
}

/** An object that the catalog knows is not in the store. */
export class InputMissingError extends DomainError {
  constructor(
    readonly storageKey: string,
    cause: unknown,
  ) {
    super('storage.object_missing', 'A file of the table is missing in the object store.', { cause });
  }
}

export interface ReadOptions {
  readonly range?: ByteRange | undefined;
  readonly signal: AbortSignal;
}

/** Files that are kept from being deleted while somebody reads them. */
export interface PinnedInputs {
  /**
   * Makes the files local.
   *
   * @returns the path of each storage key; valid until `release`
   * @throws InputMissingError; DomainError `storage.unavailable`, `storage.full`; the signal's reason
   */
  fetch(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /**
   * The bytes of one of the files, or a range of them, from the store.
   *
   * @throws InputMissingError; DomainError `storage.unavailable`; the signal's reason
   */
  read(file: InputFile, options: ReadOptions): Promise<ByteStream>;
  /** Lets go of everything. Never throws: a pin that stays ends with its lease. */
  release(): Promise<void>;
}

export interface InputFilesParts {
  readonly blobs: BlobRepository;
  readonly store: ObjectStore;
  readonly cache: FileCache;
  readonly leaseMs: number;
  readonly logger: Logger;
}

/** Brings files from the store to where an engine process can be given them. */
export class InputFiles {
  private readonly holders = new Map<string, TenantId>();

  constructor(private readonly parts: InputFilesParts) {}

  /** @throws DomainError `storage.object_missing` when one of the files is being deleted */
  async pin({ tenantId, holder, files }: PinRequest): Promise<PinnedInputs> {
    const distinct = [...new Map(files.map((file) => [file.storageKey, file])).values()];
    const { blobs, leaseMs } = this.parts;
    if (distinct.length > 0) {
      await blobs.pin({ tenantId, holder, leaseMs, storageKeys: distinct.map((file) => file.storageKey) });
      this.holders.set(holder, tenantId);
    }
    const held: CachedFile[] = [];
    return {
      fetch: (signal) => this.notingLost(tenantId, () => this.fetchAll({ files: distinct, held }, signal)),
      read: (file, options) => this.notingLost(tenantId, () => this.readOne(file, options)),
      release: async () => {
        for (const file of held.splice(0)) file.release();
        if (this.holders.delete(holder)) await this.unpin(tenantId, holder);
      },
    };
  }

  /** Says that all who hold pins are alive. */
  async extendPins(): Promise<void> {
    const { blobs, leaseMs } = this.parts;
    for (const [holder, tenantId] of this.holders) await blobs.extendPins({ tenantId, holder, leaseMs });
  }

  private async fetchAll(
    { files, held }: { files: readonly InputFile[]; held: CachedFile[] },
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    const slots = new Slots(FETCHES_AT_ONCE_MAX);
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const fetchOne = async (file: InputFile): Promise<[string, string]> => {
      try {
        either.throwIfAborted();
        const cached = await this.parts.cache.acquire({ ...file, signal: either });
        held.push(cached);
        return [file.storageKey, cached.path];
      } catch (error) {
        // The others stop, and all are waited for, so that none is acquired after `release`.
        if (!failed.signal.aborted) failed.abort(toInputError(file, error));
        throw error;
      }
    };
    const fetched = await Promise.allSettled(files.map((file) => slots.run(() => fetchOne(file))));
    failed.signal.throwIfAborted();
    return new Map(fetched.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])));
  }

  private async readOne(file: InputFile, { range, signal }: ReadOptions): Promise<ByteStream> {
    try {
      return await this.parts.store.get(file.storageKey, { signal, ...(range && { range }) });
    } catch (error) {
      throw toInputError(file, error);
    }
  }

  private async notingLost<T>(tenantId: TenantId, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof InputMissingError) await this.noteLost(tenantId, error.storageKey);
      throw error;
    }
  }

  /** Content that comes again must not be taken to be there already. */
  private async noteLost(tenantId: TenantId, storageKey: string): Promise<void> {
    this.parts.logger.error({ tenantId, storageKey }, 'a file is missing in the object store');
    await this.parts.blobs.markLost({ tenantId, storageKey });
  }

  private async unpin(tenantId: TenantId, holder: string): Promise<void> {
    await this.parts.blobs.unpin({ tenantId, holder }).catch((error: unknown) => {
      this.parts.logger.warn({ ...errorFields(error), holder }, 'pins stay until their lease ends');
    });
  }
}

function toInputError({ storageKey }: InputFile, error: unknown): unknown {
  const isMissing = error instanceof DomainError && error.code === 'storage.object_missing';
  return isMissing ? new InputMissingError(storageKey, error) : error;
}
