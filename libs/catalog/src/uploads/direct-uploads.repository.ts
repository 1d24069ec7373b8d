import { DomainError, newId, type TenantId, type UploadId, type WrittenBlob } from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Database, Transaction } from '../database/database.js';
import { findRow, fromNow, rowsOf } from '../database/sql.js';
import { UploadEntity, type Upload } from '../schema/upload.entity.js';
import { type AnnouncedUpload, insertUploading } from './insert-uploading.js';
import { makePending } from './make-pending.js';
import { abandonDirect, lockUpload, uploadNotFound, type OwnerFilter } from './uploads.repository.js';

export interface NewDirectUpload extends AnnouncedUpload {
  /** A key that `blobs.beginWriting` registered. */
  readonly storageKey: string;
  /** What the store calls the upload. */
  readonly storeUploadId: string;
  readonly partSizeBytes: number;
  /** How long the client may be silent. */
  readonly leaseMs: number;
}

/** Where the bytes of an upload go that is being sent. */
export interface DirectUploadRow {
  readonly storageKey: string;
  readonly storeUploadId: string;
  readonly partSizeBytes: number;
  readonly expectedHash: string | null;
}

interface UploadKey {
  readonly tenantId: TenantId;
  readonly id: UploadId;
}

/**
 * Uploads whose bytes a client sends straight to the store: `uploading`, until they are complete or their time is over.
 * The upload and the key of its bytes have one lease, which slides while anything is heard of them.
 */
export class DirectUploadRepository {
  constructor(
    private readonly database: Database,
    private readonly references: BlobReferences,
  ) {}

  async begin(upload: NewDirectUpload): Promise<Upload> {
    const { tenantId, leaseMs: expiresInMs } = upload;
    const id = newId('upload');
    return this.database.transaction(async (transaction) => {
      await insertUploading(transaction, id, { ...upload, expiresInMs });
      const { storageKey, storeUploadId, partSizeBytes, expectedHash = null } = upload;
      await rowsOf(
        transaction,
        `INSERT INTO direct_uploads (tenant_id, id, storage_key, store_upload_id, part_size_bytes, expected_hash)
         VALUES ($1, $2, $3, $4, $5, $6)`,
        [tenantId, id, storageKey, storeUploadId, partSizeBytes, expectedHash],
      );
      return findUpload(transaction, { tenantId, id });
    });
  }

  /** Where the bytes of an upload go, or undefined when it is not being sent: it is complete, expired or no such upload. */
  async find({ tenantId, id }: UploadKey): Promise<DirectUploadRow | undefined> {
    return this.database.run((manager) =>
      findRow<DirectUploadRow>(
        manager,
        `SELECT storage_key AS "storageKey", store_upload_id AS "storeUploadId", part_size_bytes AS "partSizeBytes",
           expected_hash AS "expectedHash"
         FROM direct_uploads WHERE tenant_id = $1 AND id = $2`,
        [tenantId, id],
      ),
    );
  }

  /**
   * Lets an upload that is being sent, and the key of its bytes, live for a lease from now.
   *
   * @throws DomainError `upload.not_found`, `upload.complete`, `upload.expired`
   */
  async slide({ tenantId, id, userId, leaseMs }: UploadKey & OwnerFilter & { leaseMs: number }): Promise<Upload> {
    return this.database.transaction(async (transaction) => {
      const upload = await lockUpload(transaction, tenantId, id);
      if (!upload || (userId !== undefined && upload.userId !== userId)) throw uploadNotFound();
      if (upload.status === 'expired' || (upload.status === 'uploading' && upload.expired)) throw expired();
      if (upload.status !== 'uploading') throw complete();
      const extended = await rowsOf(
        transaction,
        `UPDATE blobs b SET due_at = ${fromNow(leaseMs)()} FROM direct_uploads d
         WHERE d.tenant_id = $1 AND d.id = $2 AND b.tenant_id = d.tenant_id AND b.storage_key = d.storage_key
           AND b.status = 'writing' RETURNING b.storage_key`,
        [tenantId, id],
      );
      if (extended.length === 0) throw expired();
      await transaction.query(
        `UPDATE uploads SET expires_at = ${fromNow(leaseMs)()} WHERE tenant_id = $1 AND id = $2`,
        [tenantId, id],
      );
      return findUpload(transaction, { tenantId, id });
    });
  }

  /**
   * Makes an upload whose bytes are there wait for a dataset: `uploading → pending`. Bytes the tenant has already are not
   * kept twice. Once more gives the upload as it is.
   *
   * @throws DomainError `upload.not_found`, `upload.expired`
   */
  async commit({
    tenantId,
    id,
    blob,
    expiresInMs,
  }: UploadKey & { readonly blob: WrittenBlob; readonly expiresInMs: number }): Promise<Upload> {
    return this.database.transaction(async (transaction) => {
      const upload = await lockUpload(transaction, tenantId, id);
      if (!upload) throw uploadNotFound();
      if (upload.status === 'expired') throw expired();
      if (upload.status === 'uploading') await this.take(transaction, { tenantId, id, blob, expiresInMs });
      return findUpload(transaction, { tenantId, id });
    });
  }

  /** Gives up an upload and its bytes, if it is still being sent. */
  async discard({ tenantId, id }: UploadKey): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const upload = await lockUpload(transaction, tenantId, id);
      if (upload?.status !== 'uploading') return;
      await abandonDirect(transaction, { tenantId, id, references: this.references });
      await transaction.query('DELETE FROM uploads WHERE tenant_id = $1 AND id = $2', [tenantId, id]);
    });
  }

  private async take(
    transaction: Transaction,
    { tenantId, id, blob, expiresInMs }: UploadKey & { readonly blob: WrittenBlob; readonly expiresInMs: number },
  ): Promise<void> {
    const reference = await this.references.commitWritten(transaction, tenantId, blob);
    await makePending(transaction, { tenantId, id, blob, reference, expiresInMs });
    await transaction.query('DELETE FROM direct_uploads WHERE tenant_id = $1 AND id = $2', [tenantId, id]);
  }
}

function findUpload(transaction: Transaction, { tenantId, id }: UploadKey): Promise<Upload> {
  return transaction.getRepository(UploadEntity).findOneByOrFail({ tenantId, id });
}

function expired(): DomainError {
  return new DomainError('upload.expired', 'The upload was not completed in time. Begin a new one.');
}

function complete(): DomainError {
  return new DomainError('upload.complete', 'The upload is complete and takes no more parts.');
}
