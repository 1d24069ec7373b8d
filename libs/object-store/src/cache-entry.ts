import type { TenantId } from '@millrace/domain';
import type { LeftCopy } from './cache-folder.js';

/** Which bytes of whom. Two tenants with equal bytes have a file each: none shall learn from the time what another has. */
export interface CacheKey {
  readonly tenantId: TenantId;
  readonly contentHash: string;
}

/** `unproven`: nothing is known of its bytes; an earlier process left them, or there are none yet. */
export type EntryState = 'unproven' | 'coming' | 'here';

/** One file of a read cache: where it is, who uses it. */
export class CacheEntry {
  state: EntryState = 'unproven';
  /** Callers that wait for the file or use it. */
  users = 0;
  /** Since when nobody does, by `performance.now()`. */
  idleSince = performance.now();
  path: string | undefined;
  isLink = false;
  /** What it counts of the cache's room. */
  bytes = 0;
  /** See `fileIdentity`; of the file whose bytes were right. */
  identity: string | undefined;
  /** Where it is in the store, as somebody said who asked for it. */
  storageKey: string | undefined;
  /** Settles when the file is here, or can't be. */
  ready: Promise<void> = Promise.resolve();
  /** Ends what brings it. */
  readonly abandon = new AbortController();
  /** When it was last fetched, by `performance.now()`. */
  fetchedAt = Number.NEGATIVE_INFINITY;
  /** A look at its bytes that is under way. */
  checking: Promise<boolean> | undefined;

  constructor(readonly key: CacheKey) {}

  static ofLeft({ path, sizeBytes, ...key }: LeftCopy): CacheEntry {
    return Object.assign(new CacheEntry(key), { path, bytes: sizeBytes });
  }

  get id(): string {
    return entryId(this.key);
  }

  get isIdle(): boolean {
    return this.users === 0 && this.state !== 'coming';
  }
}

export function entryId({ tenantId, contentHash }: CacheKey): string {
  return `${tenantId}/${contentHash}`;
}
