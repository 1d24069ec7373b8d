import { DomainError, type BlobKey, type BlobRegister, type TenantId, type WrittenBlob } from '@millrace/domain';
import type { Database, Transaction } from '../database/database.js';
import { fromNow, rowsOf } from '../database/sql.js';
import { insertRow } from '../database/transition.js';
import { BlobEntity, type Blob } from '../schema/blob.entity.js';
import type { BlobReference, BlobReferences } from './blob-references.js';

export interface BlobPinRequest {
  readonly tenantId: TenantId;
  readonly storageKeys: readonly string[];
  /** Who reads them: the id of a query run, for example. */
  readonly holder: string;
  readonly leaseMs: number;
}

/** How long a sweeper has for a deletion before another one takes it over. */
export const DELETION_LEASE_MS = 60_000;
export const DELETION_BACKOFF_MS = 5_000;
export const DELETION_BACKOFF_MAX_MS = 600_000;

/** The register of every key in the object store: what is being written, what is referred to, what has to go. */
export class BlobRepository implements BlobRegister {
  constructor(
    private readonly database: Database,
    private readonly references: BlobReferences,
  ) {}

  /** Registers a key before its first byte is written. Committed at once: a crash leaves no unknown bytes. */
  async beginWriting({ tenantId, storageKey, leaseMs }: BlobKey & { leaseMs: number }): Promise<void> {
    await this.database.run((manager) =>
      insertRow(manager, BlobEntity, { tenantId, storageKey, status: 'writing', dueAt: fromNow(leaseMs) }),
    );
  }

  /** @throws DomainError `service.unavailable` when the lease had ended and the bytes may be gone */
  async extendWriting({ tenantId, storageKey, leaseMs }: BlobKey & { leaseMs: number }): Promise<void> {
    const extended = await this.database.run((manager) =>
      rowsOf(
        manager,
        `UPDATE blobs SET due_at = ${fromNow(leaseMs)()}
         WHERE tenant_id = $1 AND storage_key = $2 AND status = 'writing' RETURNING storage_key`,
        [tenantId, storageKey],
      ),
    );
    if (extended.length === 0) throw new DomainError('service.unavailable', 'The writer was too slow. Try again.');
  }

  /** Gives up a key that was begun: its bytes, if any, are due for deletion now. A key that is not writing stays. */
  async abandonWriting({ tenantId, storageKey }: BlobKey): Promise<'given_up' | 'in_use'> {
    await this.database.run((manager) => this.references.abandonWriting(manager, tenantId, storageKey));
    const blob = await this.find({ tenantId, storageKey });
    return blob?.status === 'live' || blob?.status === 'unreferenced' ? 'in_use' : 'given_up';
  }

  /** Notes that a reader found no object under the key: the same content, when it comes again, is written anew. */
  async markLost({ tenantId, storageKey }: BlobKey): Promise<void> {
    await this.database.run((manager) => this.references.markLost(manager, tenantId, storageKey));
  }

  /** See `BlobReferences.commitWritten`. */
  commitWritten(transaction: Transaction, { tenantId, ...written }: BlobKey & WrittenBlob): Promise<BlobReference> {
    return this.references.commitWritten(transaction, tenantId, written);
  }

  /** Gives one reference back; with the last one the grace period begins. */
  release(transaction: Transaction, { tenantId, storageKey }: BlobKey): Promise<void> {
    return this.references.release(transaction, tenantId, storageKey);
  }

  async find({ tenantId, storageKey }: BlobKey): Promise<Blob | undefined> {
    const blob = await this.database.run((manager) =>
      manager.getRepository(BlobEntity).findOneBy({ tenantId, storageKey }),
    );
    return blob ?? undefined;
  }

  /** Whether any key is registered, of whatever tenant: whether the store should hold something. */
  async knowsAny(): Promise<boolean> {
    const rows = await this.database.run((manager) => rowsOf(manager, 'SELECT 1 FROM blobs LIMIT 1'));
    return rows.length > 0;
  }

  /**
   * Keeps blobs from being deleted while they are read. All or none are pinned.
   *
   * @throws DomainError `storage.object_missing` when one of them is gone or going
   */
  async pin({ tenantId, storageKeys, holder, leaseMs }: BlobPinRequest): Promise<void> {
    const wanted = [...new Set(storageKeys)].sort();
    await this.database.transaction(async (transaction) => {
      // FOR KEY SHARE waits for a sweeper that is just looking at the row, and makes the next one pass it by.
      const pinned = await rowsOf(
        transaction,
        `WITH readable AS (
           SELECT tenant_id, storage_key FROM blobs
           WHERE tenant_id = $1 AND storage_key = ANY($2) AND status IN ('live', 'unreferenced')
           ORDER BY storage_key FOR KEY SHARE)
         INSERT INTO blob_pins (tenant_id, storage_key, holder, lease_until)
         SELECT tenant_id, storage_key, $3, ${fromNow(leaseMs)()} FROM readable
         ON CONFLICT (tenant_id, storage_key, holder) DO UPDATE SET lease_until = EXCLUDED.lease_until
         RETURNING storage_key`,
        [tenantId, wanted, holder],
      );
      if (pinned.length === wanted.length) return;
      throw new DomainError('storage.object_missing', 'A file of the table was deleted a moment ago.');
    });
  }

  async unpin({ tenantId, holder }: Pick<BlobPinRequest, 'tenantId' | 'holder'>): Promise<void> {
    await this.database.run((manager) =>
      rowsOf(manager, 'DELETE FROM blob_pins WHERE tenant_id = $1 AND holder = $2', [tenantId, holder]),
    );
  }

  async extendPins({ tenantId, holder, leaseMs }: Omit<BlobPinRequest, 'storageKeys'>): Promise<void> {
    await this.database.run((manager) =>
      rowsOf(manager, `UPDATE blob_pins SET lease_until = ${fromNow(leaseMs)()} WHERE tenant_id = $1 AND holder = $2`, [
        tenantId,
        holder,
      ]),
    );
  }

  /** Removes the pins of holders that went away without unpinning. */
  async sweepPins(): Promise<void> {
    await this.database.run((manager) => rowsOf(manager, 'DELETE FROM blob_pins WHERE lease_until <= now()'));
  }

  /**
   * Takes blobs of all tenants whose time has come and that nobody has pinned: given-up writes, ended grace periods,
   * and deletions that failed or whose sweeper crashed. They are `deleting` from here on, which nothing takes back.
   */
  async takeDue({ limit }: { limit: number }): Promise<BlobKey[]> {
    return this.database.transaction(async (transaction) => {
      const due = await rowsOf<BlobKey>(
        transaction,
        `SELECT tenant_id AS "tenantId", storage_key AS "storageKey" FROM blobs b
         WHERE status IN ('writing', 'unreferenced', 'deleting') AND due_at <= now() AND NOT EXISTS (${LIVE_PIN})
         ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED`,
        [limit],
      );
      // A pin may have come between the look and the lock: with the rows locked, the second look is the one that counts.
      return rowsOf<BlobKey>(
        transaction,
        `UPDATE blobs b SET status = 'deleting', due_at = ${fromNow(DELETION_LEASE_MS)()}
         WHERE (tenant_id, storage_key) IN (SELECT * FROM unnest($1::text[], $2::text[]))
           AND status IN ('writing', 'unreferenced', 'deleting') AND NOT EXISTS (${LIVE_PIN})
         RETURNING tenant_id AS "tenantId", storage_key AS "storageKey"`,
        [due.map((blob) => blob.tenantId), due.map((blob) => blob.storageKey)],
      );
    });
  }

  /** Strikes a key from the register, after its object was deleted. */
  async removed({ tenantId, storageKey }: BlobKey): Promise<void> {
    await this.database.run((manager) =>
      rowsOf(manager, `DELETE FROM blobs WHERE tenant_id = $1 AND storage_key = $2 AND status = 'deleting'`, [
        tenantId,
        storageKey,
      ]),
    );
  }

  /** Notes that the object could not be deleted: tried again later, with growing pauses, for ever. */
  async deferDeletion({ tenantId, storageKey }: BlobKey, error: string): Promise<void> {
    await this.database.run((manager) =>
      rowsOf(
        manager,
        `UPDATE blobs SET attempts = attempts + 1, error = $3,
           due_at = now() + least($4 * 2 ^ least(attempts, 20), $5) * interval '1 millisecond'
         WHERE tenant_id = $1 AND storage_key = $2 AND status = 'deleting'`,
        [tenantId, storageKey, error, DELETION_BACKOFF_MS, DELETION_BACKOFF_MAX_MS],
      ),
    );
  }
}

const LIVE_PIN = `SELECT 1 FROM blob_pins p
  WHERE p.tenant_id = b.tenant_id AND p.storage_key = b.storage_key AND p.lease_until > now()`;
