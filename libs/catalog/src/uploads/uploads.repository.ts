import {
  DomainError,
  newId,
  uploadLifecycle,
  type IdempotencyClaim,
  type TenantId,
  type UploadId,
  type UploadStatus,
  type UserId,
  type WrittenBlob,
} from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Database, Transaction } from '../database/database.js';
import { pageOf, type Page, type PageRequest } from '../database/page.js';
import { findRow, fromNow, rowsOf } from '../database/sql.js';
import { sweep, SWEEP_ROWS_MAX } from '../database/sweep.js';
import { insertRow, transition } from '../database/transition.js';
import { bindEffect } from '../idempotency/bind-effect.js';
import { UploadEntity, type Upload } from '../schema/upload.entity.js';

export interface NewUpload {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** The bytes, under a key that `blobs.beginWriting` registered. */
  readonly blob: WrittenBlob;
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly fileName?: string | undefined;
  /** How long the upload waits to be used. */
  readonly expiresInMs: number;
  /** Of the key that the request came with, and what it asked for: whoever sends it again finds this upload. */
  readonly claim?: (IdempotencyClaim & { readonly fingerprint: string }) | undefined;
}

/** Whose uploads count: those of one user, or all of the tenant when no user is named. */
export interface OwnerFilter {
  readonly userId?: UserId | undefined;
}

/** Files that were sent and wait to become tables. */
export class UploadRepository {
  constructor(
    private readonly database: Database,
    private readonly references: BlobReferences,
  ) {}

  /**
   * Makes written bytes an upload; bytes the tenant has already are not kept twice.
   *
   * @throws DomainError `idempotency.in_progress`
   */
  async commit(upload: NewUpload): Promise<Upload> {
    const { tenantId, userId, blob, expiresInMs, claim } = upload;
    const id = newId('upload');
    return this.database.transaction(async (transaction) => {
      const { storageKey, deduplicated } = await this.references.commitWritten(transaction, tenantId, blob);
      await insertRow(transaction, UploadEntity, {
        tenantId,
        id,
        userId,
        status: 'pending',
        storageKey,
        deduplicated,
        contentHash: blob.contentHash,
        sizeBytes: blob.sizeBytes,
        contentType: upload.contentType ?? null,
        contentEncoding: upload.contentEncoding ?? null,
        fileName: upload.fileName ?? null,
        expiresAt: fromNow(expiresInMs),
      });
      if (claim) await bindEffect(transaction, claim, { effectId: id, fingerprint: claim.fingerprint });
      return transaction.getRepository(UploadEntity).findOneByOrFail({ tenantId, id });
    });
  }

  /** @throws DomainError `upload.not_found` */
  async get(tenantId: TenantId, id: UploadId, { userId }: OwnerFilter = {}): Promise<Upload> {
    const upload = await this.database.run((manager) =>
      manager.getRepository(UploadEntity).findOneBy({ tenantId, id }),
    );
    if (!upload || (userId !== undefined && upload.userId !== userId)) throw uploadNotFound();
    return upload;
  }

  async list(
    tenantId: TenantId,
    request: PageRequest<UploadId> & OwnerFilter & { status?: UploadStatus | undefined },
  ): Promise<Page<Upload>> {
    return this.database.run((manager) => {
      const query = manager.createQueryBuilder(UploadEntity, 'row').where('row.tenantId = :tenantId', { tenantId });
      const { userId, status } = request;
      if (userId !== undefined) query.andWhere('row.userId = :userId', { userId });
      if (status !== undefined) query.andWhere('row.status = :status', { status });
      return pageOf(query, request);
    });
  }

  /**
   * Removes an upload; its bytes go after the grace period unless something else refers to them.
   *
   * @throws DomainError `upload.not_found`, `upload.in_use`
   */
  async delete(tenantId: TenantId, id: UploadId, { userId }: OwnerFilter = {}): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const upload = await lockUpload(transaction, tenantId, id);
      if (!upload || (userId !== undefined && upload.userId !== userId)) throw uploadNotFound();
      if (upload.status === 'processing') throw inUse();
      await abandonDirect(transaction, { tenantId, id, references: this.references });
      await transaction.query('DELETE FROM uploads WHERE tenant_id = $1 AND id = $2', [tenantId, id]);
      if (upload.storageKey) await this.references.release(transaction, tenantId, upload.storageKey);
    });
  }

  /** Expires uploads of all tenants that nobody completed or used in time. Returns how many. */
  async expireDue(): Promise<number> {
    const expired = await sweep(this.database, {
      find: findDue,
      end: (transaction, upload) => this.expire(transaction, upload),
    });
    return expired.length;
  }

  /** Forgets uploads of all tenants that were used or expired long ago. Returns how many. */
  async purgeEnded({ olderThanMs, limit }: { olderThanMs: number; limit: number }): Promise<number> {
    const purged = await this.database.run((manager) =>
      rowsOf(
        manager,
        `DELETE FROM uploads WHERE (tenant_id, id) IN (
           SELECT tenant_id, id FROM uploads
           WHERE status IN ('consumed', 'expired') AND coalesce(consumed_at, expires_at) < ${fromNow(-olderThanMs)()}
           LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING id`,
        [limit],
      ),
    );
    return purged.length;
  }

  private async expire(
    transaction: Transaction,
    { tenantId, id }: Pick<Upload, 'tenantId' | 'id'>,
  ): Promise<UploadId | undefined> {
    const upload = await lockUpload(transaction, tenantId, id);
    if (!upload?.expired || !['uploading', 'pending'].includes(upload.status)) return undefined;
    await abandonDirect(transaction, { tenantId, id, references: this.references });
    await transition(transaction, {
      entity: UploadEntity,
      lifecycle: uploadLifecycle,
      where: { tenantId, id },
      to: 'expired',
      set: { storageKey: null },
    });
    if (upload.storageKey) await this.references.release(transaction, tenantId, upload.storageKey);
    return id;
  }
}

export interface LockedUpload {
  readonly userId: UserId;
  readonly status: UploadStatus;
  readonly storageKey: string | null;
  /** Whether its time is over, by the database's clock. */
  readonly expired: boolean;
}

export function lockUpload(
  transaction: Transaction,
  tenantId: TenantId,
  id: UploadId,
): Promise<LockedUpload | undefined> {
  return findRow<LockedUpload>(
    transaction,
    `SELECT user_id AS "userId", status, storage_key AS "storageKey", expires_at <= now() AS expired
     FROM uploads WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
    [tenantId, id],
  );
}

/** Gives up the bytes of an upload that is being sent straight to the store; of others there are none. */
export async function abandonDirect(
  transaction: Transaction,
  { tenantId, id, references }: Pick<Upload, 'tenantId' | 'id'> & { readonly references: BlobReferences },
): Promise<void> {
  const direct = await findRow<{ storageKey: string }>(
    transaction,
    `DELETE FROM direct_uploads WHERE tenant_id = $1 AND id = $2 RETURNING storage_key AS "storageKey"`,
    [tenantId, id],
  );
  if (direct) await references.abandonWriting(transaction, tenantId, direct.storageKey);
}

function findDue(manager: Transaction): Promise<Pick<Upload, 'tenantId' | 'id'>[]> {
  return rowsOf(
    manager,
    `SELECT tenant_id AS "tenantId", id FROM uploads WHERE status IN ('uploading', 'pending') AND expires_at <= now()
     ORDER BY expires_at LIMIT $1`,
    [SWEEP_ROWS_MAX],
  );
}

export function uploadNotFound(): DomainError {
  return new DomainError('upload.not_found', 'There is no upload with this id.');
}

export function inUse(): DomainError {
  return new DomainError('upload.in_use', 'The upload is being turned into a dataset. Wait until that has ended.');
}
