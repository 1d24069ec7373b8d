import {
  DomainError,
  type TenantId,
  type UploadId,
  type UploadStatus,
  type UserId,
  type WrittenBlob,
} from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Database, Transaction } from '../database/database.js';
import { findRow, fromNow, rowsOf } from '../database/sql.js';
import { UploadEntity, type Upload } from '../schema/upload.entity.js';
import { type AnnouncedUpload, insertUploading } from './insert-uploading.js';
import { makePending } from './make-pending.js';
import { lockUpload, uploadNotFound, type OwnerFilter } from './uploads.repository.js';

/** Enough for 50 GiB in pieces of 5 MiB; who sends smaller ones must not fill the catalog. */
export const PIECES_MAX = 10_000;

export interface NewResumableUpload extends AnnouncedUpload {
  readonly id: UploadId;
  /** As the client sent it. */
  readonly metadata: string;
  /** How long the client may be silent. */
  readonly expiresInMs: number;
}

export interface ResumableUpload {
  readonly status: UploadStatus;
  readonly sizeBytes: number;
  /** What has come and stays. */
  readonly receivedBytes: number;
  readonly metadata: string;
  readonly expectedHash: string | null;
  readonly expiresAt: Date;
}

export interface UploadPiece extends WrittenBlob {
  readonly startByte: number;
}

interface UploadKey {
  readonly tenantId: TenantId;
  readonly id: UploadId;
}

/** Uploads that come in pieces: `uploading` until all of them are there and have become one file. */
export class ResumableUploadRepository {
  constructor(
    private readonly database: Database,
    private readonly references: BlobReferences,
  ) {}

  async begin(upload: NewResumableUpload): Promise<void> {
    const { tenantId, id, metadata, expectedHash = null } = upload;
    await this.database.transaction(async (transaction) => {
      await insertUploading(transaction, id, upload);
      await rowsOf(
        transaction,
        'INSERT INTO resumable_uploads (tenant_id, id, metadata, expected_hash) VALUES ($1, $2, $3, $4)',
        [tenantId, id, metadata, expectedHash],
      );
    });
  }

  /** @throws DomainError `upload.not_found`, also for one that has expired or did not come in pieces */
  async get({ tenantId, id, userId }: UploadKey & OwnerFilter): Promise<ResumableUpload> {
    const upload = await this.database.run((manager) =>
      findRow<ResumableUpload & { readonly userId: UserId; readonly expired: boolean }>(
        manager,
        `SELECT u.user_id AS "userId", u.status, u.size_bytes AS "sizeBytes", u.expires_at AS "expiresAt",
           u.expires_at <= now() AS expired, r.metadata, r.expected_hash AS "expectedHash",
           CASE WHEN u.status = 'uploading' THEN ${RECEIVED} ELSE u.size_bytes END AS "receivedBytes"
         FROM uploads u JOIN resumable_uploads r USING (tenant_id, id) WHERE u.tenant_id = $1 AND u.id = $2`,
        [tenantId, id],
      ),
    );
    if (!upload || (userId !== undefined && upload.userId !== userId)) throw uploadNotFound();
    if (upload.status === 'expired' || (upload.status === 'uploading' && upload.expired)) throw uploadNotFound();
    return upload;
  }

  /**
   * Adds a piece whose bytes are written, and lets the upload live on.
   *
   * @returns when it expires
   * @throws DomainError `upload.not_found`, `upload.complete`; `upload.offset_mismatch` when other bytes have come to this place
   */
  async append({
    tenantId,
    id,
    startByte,
    blob,
    expiresInMs,
  }: UploadKey & {
    readonly startByte: number;
    readonly blob: WrittenBlob;
    readonly expiresInMs: number;
  }): Promise<Date> {
    return this.database.transaction(async (transaction) => {
      await this.checkPlace(transaction, { tenantId, id, startByte });
      const { storageKey, deduplicated } = await this.references.commitWritten(transaction, tenantId, blob);
      const { sizeBytes, contentHash } = blob;
      await rowsOf(
        transaction,
        `INSERT INTO upload_pieces (tenant_id, id, start_byte, size_bytes, storage_key, content_hash, deduplicated)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [tenantId, id, startByte, sizeBytes, storageKey, contentHash, deduplicated],
      );
      const slid = await findRow<{ expiresAt: Date }>(
        transaction,
        `UPDATE uploads SET expires_at = ${fromNow(expiresInMs)()} WHERE tenant_id = $1 AND id = $2
         RETURNING expires_at AS "expiresAt"`,
        [tenantId, id],
      );
      if (!slid) throw uploadNotFound();
      return slid.expiresAt;
    });
  }

  /** The pieces of an upload, in their order. */
  async listPieces({ tenantId, id }: UploadKey): Promise<UploadPiece[]> {
    return this.database.run((manager) =>
      rowsOf<UploadPiece>(
        manager,
        `SELECT start_byte AS "startByte", size_bytes AS "sizeBytes", storage_key AS "storageKey",
           content_hash AS "contentHash"
         FROM upload_pieces WHERE tenant_id = $1 AND id = $2 ORDER BY start_byte`,
        [tenantId, id],
      ),
    );
  }

  /**
   * Makes an upload whose bytes are there wait for a dataset. Once more does no harm.
   *
   * @param upload.blob the whole file; where that is one piece, the piece
   * @throws DomainError `upload.not_found`
   */
  async commit({
    tenantId,
    id,
    blob,
    expiresInMs,
  }: UploadKey & { readonly blob: WrittenBlob; readonly expiresInMs: number }): Promise<Upload> {
    return this.database.transaction(async (transaction) => {
      const upload = await lockUpload(transaction, tenantId, id);
      if (!upload || upload.status === 'expired') throw uploadNotFound();
      if (upload.status === 'uploading') {
        const piece = await findPiece(transaction, { tenantId, storageKey: blob.storageKey, id });
        const reference = await this.references.commitWritten(transaction, tenantId, blob);
        // The piece itself is what the tenant has already.
        await makePending(transaction, { tenantId, id, blob, expiresInMs, reference: { ...reference, ...piece } });
      }
      return transaction.getRepository(UploadEntity).findOneByOrFail({ tenantId, id });
    });
  }

  /** Gives up an upload that is still being sent. */
  async discard({ tenantId, id }: UploadKey): Promise<void> {
    await this.database.run((manager) =>
      rowsOf(manager, `DELETE FROM uploads WHERE tenant_id = $1 AND id = $2 AND status = 'uploading'`, [tenantId, id]),
    );
  }

  /** Gives back the pieces of uploads of all tenants that are complete, expired or deleted. Returns how many. */
  async releasePieces({ limit }: { readonly limit: number }): Promise<number> {
    return this.database.transaction(async (transaction) => {
      const pieces = await rowsOf<{ tenantId: TenantId; storageKey: string }>(
        transaction,
        `DELETE FROM upload_pieces WHERE (tenant_id, id, start_byte) IN (
           SELECT p.tenant_id, p.id, p.start_byte FROM upload_pieces p
           LEFT JOIN uploads u ON u.tenant_id = p.tenant_id AND u.id = p.id
           WHERE u.status IS DISTINCT FROM 'uploading' LIMIT $1 FOR UPDATE OF p SKIP LOCKED)
         RETURNING tenant_id AS "tenantId", storage_key AS "storageKey"`,
        [limit],
      );
      const inOrder = pieces.toSorted((a, b) => (a.storageKey < b.storageKey ? -1 : 1));
      for (const { tenantId, storageKey } of inOrder) await this.references.release(transaction, tenantId, storageKey);
      return pieces.length;
    });
  }

  private async checkPlace(
    transaction: Transaction,
    { tenantId, id, startByte }: UploadKey & { readonly startByte: number },
  ): Promise<void> {
    const upload = await lockUpload(transaction, tenantId, id);
    if (!upload || upload.expired) throw uploadNotFound();
    if (upload.status !== 'uploading') {
      throw new DomainError('upload.complete', 'The upload is complete and takes no more bytes.');
    }
    const there = await findRow<{ receivedBytes: number; count: number }>(
      transaction,
      `SELECT ${RECEIVED} AS "receivedBytes", count(*) AS count FROM upload_pieces WHERE tenant_id = $1 AND id = $2`,
      [tenantId, id],
    );
    if (there?.receivedBytes !== startByte) {
      throw new DomainError('upload.offset_mismatch', `The upload goes on at byte ${there?.receivedBytes ?? 0}.`);
    }
    if (there.count >= PIECES_MAX) {
      throw new DomainError('upload.too_large', `The upload came in more than ${PIECES_MAX} pieces. Send larger ones.`);
    }
  }
}

/** Bytes of an upload that are there; of one whose tenant and id are the first parameters. */
const RECEIVED = `(SELECT coalesce(sum(size_bytes), 0)::bigint FROM upload_pieces WHERE tenant_id = $1 AND id = $2)`;

function findPiece(
  transaction: Transaction,
  { tenantId, id, storageKey }: UploadKey & { readonly storageKey: string },
): Promise<{ readonly deduplicated: boolean } | undefined> {
  return findRow(
    transaction,
    'SELECT deduplicated FROM upload_pieces WHERE tenant_id = $1 AND id = $2 AND storage_key = $3',
    [tenantId, id, storageKey],
  );
}
