import { DomainError, uploadLifecycle, type TenantId, type UploadId, type UserId } from '@millrace/domain';
import type { Transaction } from '../database/database.js';
import { transition } from '../database/transition.js';
import { UploadEntity } from '../schema/upload.entity.js';
import { inUse, lockUpload, type LockedUpload } from '../uploads/uploads.repository.js';

export interface UploadClaim {
  readonly tenantId: TenantId;
  readonly uploadId: UploadId;
  /** Only an upload of this user may be used; admins name nobody. */
  readonly onlyUserId?: UserId | undefined;
}

/**
 * Claims an upload for one conversion: `pending → processing`.
 *
 * @throws DomainError `upload.unknown`, `upload.uploading`, `upload.consumed`, `upload.expired`, `upload.in_use`
 */
export async function claimUpload(transaction: Transaction, claim: UploadClaim): Promise<void> {
  const { tenantId, uploadId: id, onlyUserId } = claim;
  const upload = await lockUpload(transaction, tenantId, id);
  if (!upload || (onlyUserId !== undefined && upload.userId !== onlyUserId)) {
    throw new DomainError('upload.unknown', 'There is no upload with this id. Upload the file first.');
  }
  refuseUnusable(upload);
  const claimed = await transition(transaction, {
    entity: UploadEntity,
    lifecycle: uploadLifecycle,
    where: { tenantId, id },
    to: 'processing',
    set: { error: null },
  });
  if (!claimed) throw inUse();
}

function refuseUnusable({ status, expired }: LockedUpload): void {
  if (status === 'processing') throw inUse();
  if (status === 'uploading') {
    throw new DomainError('upload.uploading', 'The bytes of the upload are not all there. Complete it first.');
  }
  if (status === 'consumed') {
    throw new DomainError('upload.consumed', 'The upload was already turned into a dataset. Upload the file again.');
  }
  if (status === 'expired' || expired) {
    throw new DomainError('upload.expired', 'The upload was not used in time. Upload the file again.');
  }
}
