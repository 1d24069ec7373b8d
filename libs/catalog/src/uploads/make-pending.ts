import { uploadLifecycle, type TenantId, type UploadId, type WrittenBlob } from '@millrace/domain';
import type { BlobReference } from '../blobs/blob-references.js';
import type { Transaction } from '../database/database.js';
import { fromNow } from '../database/sql.js';
import { transition } from '../database/transition.js';
import { UploadEntity } from '../schema/upload.entity.js';

export interface CompleteUpload {
  readonly tenantId: TenantId;
  readonly id: UploadId;
  /** What the bytes are. */
  readonly blob: WrittenBlob;
  /** Where they are, and whether they were there before. */
  readonly reference: BlobReference;
  /** How long the upload waits to be used. */
  readonly expiresInMs: number;
}

/** Makes an upload wait for a dataset that is locked and whose bytes are all there: `uploading → pending`. */
export async function makePending(
  transaction: Transaction,
  { tenantId, id, blob, reference, expiresInMs }: CompleteUpload,
): Promise<void> {
  await transition(transaction, {
    entity: UploadEntity,
    lifecycle: uploadLifecycle,
    where: { tenantId, id },
    from: ['uploading'],
    to: 'pending',
    set: {
      storageKey: reference.storageKey,
      deduplicated: reference.deduplicated,
      contentHash: blob.contentHash,
      sizeBytes: blob.sizeBytes,
      expiresAt: fromNow(expiresInMs),
    },
  });
}
