import { blobLifecycle, DomainError, type TenantId, type WrittenBlob } from '@millrace/domain';
import type { Transaction } from '../database/database.js';
import { findRow, fromNow, NOW, rowsOf } from '../database/sql.js';
import { transition } from '../database/transition.js';
import { BlobEntity } from '../schema/blob.entity.js';

export interface BlobReference {
  /** The key that holds the bytes: another than the one written when the tenant had them already. */
  readonly storageKey: string;
  readonly deduplicated: boolean;
}

/**
 * References to blobs, taken and given back inside the transaction that needs or no longer needs the bytes.
 * Locks of several blobs in one transaction are taken in the order of their hashes or keys.
 */
export class BlobReferences {
  /** @param graceMs how long bytes without a reference are kept */
  constructor(private readonly graceMs: number) {}

  /**
   * Takes a reference to written bytes. If the tenant has a blob of the same content whose deletion has not begun, the
   * reference goes there (which revives it) and the new bytes are given up; otherwise the new bytes become the blob.
   *
   * @throws DomainError `service.unavailable` when the writer's lease had ended and the bytes may be gone
   */
  async commitWritten(transaction: Transaction, tenantId: TenantId, written: WrittenBlob): Promise<BlobReference> {
    // Two writers of the same content wait for each other here, not for a unique violation that ends the transaction.
    await transaction.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `blob ${tenantId} ${written.contentHash}`,
    ]);
    const storageKey = await this.takeExisting(transaction, tenantId, written.contentHash);
    if (storageKey !== undefined) {
      await this.abandonWriting(transaction, tenantId, written.storageKey);
      return { storageKey, deduplicated: true };
    }
    await makeLive(transaction, tenantId, written);
    return { storageKey: written.storageKey, deduplicated: false };
  }

  /**
   * Takes references to bytes that are there already, all of them or none. A key may occur more than once.
   *
   * @returns false when some of them are gone, going or lost: nothing has changed
   */
  async takeAll(transaction: Transaction, tenantId: TenantId, storageKeys: readonly string[]): Promise<boolean> {
    const there = await rowsOf(
      transaction,
      `SELECT storage_key FROM blobs
       WHERE tenant_id = $1 AND storage_key = ANY($2) AND status IN ('live', 'unreferenced') AND lost_at IS NULL
       ORDER BY storage_key FOR NO KEY UPDATE`,
      [tenantId, storageKeys],
    );
    if (there.length < new Set(storageKeys).size) return false;
    await rowsOf(
      transaction,
      `UPDATE blobs SET reference_count = reference_count + taken.count, status = 'live', due_at = NULL
       FROM (SELECT key, count(*)::integer AS count FROM unnest($2::text[]) AS key GROUP BY key) AS taken
       WHERE tenant_id = $1 AND storage_key = taken.key RETURNING storage_key`,
      [tenantId, storageKeys],
    );
    return true;
  }

  /** Gives one reference back; with the last one the grace period begins. */
  async release(transaction: Transaction, tenantId: TenantId, storageKey: string): Promise<void> {
    const released = await rowsOf(
      transaction,
      `UPDATE blobs SET
         reference_count = reference_count - 1,
         status = CASE WHEN reference_count = 1 THEN 'unreferenced' ELSE status END,
         due_at = CASE WHEN reference_count = 1 THEN ${fromNow(this.graceMs)()} END
       WHERE tenant_id = $1 AND storage_key = $2 AND status = 'live' RETURNING storage_key`,
      [tenantId, storageKey],
    );
    if (released.length === 0) throw new Error(`released a reference to ${storageKey}, which has none`);
  }

  /** Gives several references back; a key may occur more than once. */
  async releaseAll(transaction: Transaction, tenantId: TenantId, storageKeys: readonly string[]): Promise<void> {
    for (const storageKey of [...storageKeys].sort()) await this.release(transaction, tenantId, storageKey);
  }

  /** Gives up bytes that are being written or were written: they are due for deletion now. */
  async abandonWriting(transaction: Transaction, tenantId: TenantId, storageKey: string): Promise<void> {
    await transition(transaction, {
      entity: BlobEntity,
      lifecycle: blobLifecycle,
      where: { tenantId, storageKey },
      from: ['writing'],
      to: 'deleting',
      set: { dueAt: NOW },
    });
  }

  /**
   * Notes that there is no object under a key that should have one. Whoever refers to it keeps a reference to nothing,
   * but no new content is taken to be there already.
   */
  async markLost(transaction: Transaction, tenantId: TenantId, storageKey: string): Promise<void> {
    await rowsOf(
      transaction,
      'UPDATE blobs SET lost_at = coalesce(lost_at, now()) WHERE tenant_id = $1 AND storage_key = $2 RETURNING storage_key',
      [tenantId, storageKey],
    );
  }

  private async takeExisting(
    transaction: Transaction,
    tenantId: TenantId,
    contentHash: string,
  ): Promise<string | undefined> {
    // The update locks the row. If a sweeper has it at this moment, the condition is checked again after the wait:
    // a deletion that has begun is not stopped any more.
    const existing = await findRow<{ storageKey: string }>(
      transaction,
      `UPDATE blobs SET reference_count = reference_count + 1, status = 'live', due_at = NULL
       WHERE tenant_id = $1 AND content_hash = $2 AND status IN ('live', 'unreferenced') AND lost_at IS NULL
       RETURNING storage_key AS "storageKey"`,
      [tenantId, contentHash],
    );
    return existing?.storageKey;
  }
}

async function makeLive(transaction: Transaction, tenantId: TenantId, written: WrittenBlob): Promise<void> {
  const { storageKey, contentHash, sizeBytes } = written;
  const done = await transition(transaction, {
    entity: BlobEntity,
    lifecycle: blobLifecycle,
    where: { tenantId, storageKey },
    from: ['writing'],
    to: 'live',
    set: { contentHash, sizeBytes, referenceCount: 1, dueAt: null },
  });
  if (!done) {
    throw new DomainError('service.unavailable', 'Writing the bytes took longer than it may. Try again in a moment.');
  }
}
