import { uploadLifecycle, type TenantId, type UploadId } from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Transaction } from '../database/database.js';
import { NOW } from '../database/sql.js';
import { transition } from '../database/transition.js';
import { UploadEntity } from '../schema/upload.entity.js';
import { lockUpload } from '../uploads/uploads.repository.js';

/** What a version is made from: an upload, or bytes that came with the request. */
export interface RawSource {
  readonly tenantId: TenantId;
  readonly uploadId: UploadId | null;
  readonly rawStorageKey: string | null;
}

/** Gives the raw bytes back that are a table now: `processing → consumed` for an upload. */
export async function useUpSource(
  transaction: Transaction,
  references: BlobReferences,
  { tenantId, uploadId, rawStorageKey }: RawSource,
): Promise<void> {
  if (rawStorageKey) await references.release(transaction, tenantId, rawStorageKey);
  const upload = uploadId && (await lockUpload(transaction, tenantId, uploadId));
  if (!upload || !upload.storageKey) return;
  await transition(transaction, {
    entity: UploadEntity,
    lifecycle: uploadLifecycle,
    where: { tenantId, id: uploadId },
    to: 'consumed',
    set: { consumedAt: NOW, storageKey: null },
  });
  await references.release(transaction, tenantId, upload.storageKey);
}
