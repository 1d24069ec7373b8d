import type { TenantId } from '../ids.js';

export interface BlobKey {
  readonly tenantId: TenantId;
  readonly storageKey: string;
}

/** Bytes that were written under a key and wait for their first reference. */
export interface WrittenBlob {
  readonly storageKey: string;
  /** SHA-256 of the bytes, 64 hexadecimal digits in lower case. */
  readonly contentHash: string;
  readonly sizeBytes: number;
}

/** The register of every key in the store, as a writer sees it: a key is there before its first byte. */
export interface BlobRegister {
  /** Registers a key. The lease says until when the writer must be heard of. */
  beginWriting(key: BlobKey & { readonly leaseMs: number }): Promise<void>;
  /** @throws DomainError `service.unavailable` when the lease had ended and the bytes may be gone */
  extendWriting(key: BlobKey & { readonly leaseMs: number }): Promise<void>;
  /**
   * Gives up a key that was begun: its bytes, if any, are due for deletion now.
   *
   * @returns `in_use` when the bytes were committed after all, and stay; `given_up` otherwise, also for a key that the
   *   register knows no more
   */
  abandonWriting(key: BlobKey): Promise<'given_up' | 'in_use'>;
}
