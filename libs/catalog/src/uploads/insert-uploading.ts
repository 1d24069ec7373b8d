import type { TenantId, UploadId, UserId } from '@millrace/domain';
import type { Transaction } from '../database/database.js';
import { fromNow } from '../database/sql.js';
import { insertRow } from '../database/transition.js';
import { UploadEntity } from '../schema/upload.entity.js';

/** What is said of an upload before its bytes come. */
export interface AnnouncedUpload {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** Of the whole file. */
  readonly sizeBytes: number;
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly fileName?: string | undefined;
  /** SHA-256 that the client says the bytes have, in hexadecimal. */
  readonly expectedHash?: string | undefined;
}

/** Inserts an upload whose bytes are still to come: `uploading`, as long as its client is heard of in time. */
export async function insertUploading(
  transaction: Transaction,
  id: UploadId,
  { expiresInMs, ...upload }: AnnouncedUpload & { readonly expiresInMs: number },
): Promise<void> {
  const { tenantId, userId, sizeBytes } = upload;
  await insertRow(transaction, UploadEntity, {
    ...{ tenantId, id, userId, sizeBytes },
    status: 'uploading',
    deduplicated: false,
    contentType: upload.contentType ?? null,
    contentEncoding: upload.contentEncoding ?? null,
    fileName: upload.fileName ?? null,
    expiresAt: fromNow(expiresInMs),
  });
}
