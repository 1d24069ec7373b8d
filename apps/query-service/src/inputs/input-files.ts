import type { BlobRepository } from '@millrace/catalog';
import { DomainError, type ByteRange, type ByteStream, type ObjectStore, Slots, type TenantId } from '@millrace/domain';
import type { CachedFile, ReadCache } from '@millrace/object-store';
import { errorFields, type Logger } from '@millrace/telemetry';

/** Files that one reader fetches at once. */
const FETCHES_AT_ONCE_MAX = 8;

/** A file in the store that somebody wants to read. */
export interface InputFile {
  readonly storageKey: string;
  /** SHA-256 of its bytes, in hexadecimal. */
  readonly contentHash: string;
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

const LOST = {
  'storage.object_missing': 'A file of the table is missing in the object store.',
  'storage.object_corrupt': 'A file of the table is not what was written into the object store.',
} as const;

/** An object that the catalog knows is not in the store, or has other bytes there. */
export class InputLostError extends DomainError {
  constructor(
    readonly storageKey: string,
    { code, cause }: { readonly code: keyof typeof LOST; readonly cause: unknown },
  ) {
    super(code, LOST[code], { cause });
  }

  get isMissing(): boolean {
    return this.code === 'storage.object_missing';
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
   * @throws InputLostError; DomainError `storage.unavailable`, `storage.full`; the signal's reason
   */
  fetch(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /**
   * The bytes of one of the files, or a range of them, from the store.
   *
   * @throws InputLostError; DomainError `storage.unavailable`; the signal's reason
   */
  read(file: InputFile, options: ReadOptions): Promise<ByteStream>;
  /**
   * Runs work that fetches the files and reads them. When it finds one unreadable (`result.corrupt`) because a local copy
   * is damaged, it is run once more, on a new copy.
   *
   * @throws what the work throws
   */
  withIntactCopies<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** Lets go of everything. Never throws: a pin that stays ends with its lease. */
  release(): Promise<void>;
}

export interface InputFilesParts {
  readonly blobs: BlobRepository;
  readonly store: ObjectStore;
  readonly cache: ReadCache;
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
      fetch: (signal) => this.notingLost(tenantId, () => this.fetchAll({ tenantId, files: distinct, held }, signal)),
      read: (file, options) => this.notingLost(tenantId, () => this.readOne(file, options)),
      withIntactCopies: (signal, work) => withIntactCopies(held, signal, work),
      release: async () => {
        await Promise.all(held.splice(0).map((file) => file.release()));
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
    { tenantId, files, held }: { tenantId: TenantId; files: readonly InputFile[]; held: CachedFile[] },
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    const slots = new Slots(FETCHES_AT_ONCE_MAX);
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const fetchOne = async (file: InputFile): Promise<[string, string]> => {
      try {
        either.throwIfAborted();
        const cached = await this.parts.cache.acquire({ ...file, tenantId, signal: either });
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
      if (error instanceof InputLostError) await this.noteLost(tenantId, error);
      throw error;
    }
  }

  /** Content that comes again must not be taken to be there already. */
  private async noteLost(tenantId: TenantId, { storageKey, code }: InputLostError): Promise<void> {
    this.parts.logger.error({ tenantId, storageKey, code }, 'a file in the object store is lost');
    await this.parts.blobs.markLost({ tenantId, storageKey });
  }

  private async unpin(tenantId: TenantId, holder: string): Promise<void> {
    await this.parts.blobs.unpin({ tenantId, holder }).catch((error: unknown) => {
      this.parts.logger.warn({ ...errorFields(error), holder }, 'pins stay until their lease ends');
    });
  }
}

function toInputError({ storageKey }: InputFile, error: unknown): unknown {
  if (!(error instanceof DomainError)) return error;
  const { code } = error;
  const isLost = code === 'storage.object_missing' || code === 'storage.object_corrupt';
  return isLost ? new InputLostError(storageKey, { code, cause: error }) : error;
}

async function withIntactCopies<T>(
  held: readonly CachedFile[],
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isUnreadable = error instanceof DomainError && error.code === 'result.corrupt';
    if (!isUnreadable || !(await isAnyDamaged(held, signal))) throw error;
    return work();
  }
}

/** Reads them again, all of them: the damaged ones are fetched anew by whoever asks next. */
async function isAnyDamaged(held: readonly CachedFile[], signal: AbortSignal): Promise<boolean> {
  let damaged = 0;
  for (const file of held) if (!(await file.isIntact(signal))) damaged += 1;
  return damaged > 0;
}
