import type { BlobStatus, TenantId } from '@millrace/domain';
import { EntitySchema } from 'typeorm';
import { key, number, text, time } from './columns.js';

/** One key of the object store. */
export interface Blob {
  readonly tenantId: TenantId;
  readonly storageKey: string;
  readonly status: BlobStatus;
  /** SHA-256, 64 hexadecimal digits in lower case; known once it is written. */
  readonly contentHash: string | null;
  readonly sizeBytes: number | null;
  readonly referenceCount: number;
  /** `writing`: end of the lease; `unreferenced`: end of the grace period; `deleting`: the next try. */
  readonly dueAt: Date | null;
  /** Failed tries to delete the object. */
  readonly attempts: number;
  readonly error: string | null;
  /** When a reader found no object under the key. */
  readonly lostAt: Date | null;
  readonly createdAt: Date;
}

export const BlobEntity = new EntitySchema<Blob>({
  name: 'blob',
  tableName: 'blobs',
  columns: {
    tenantId: key('tenant_id'),
    storageKey: key('storage_key'),
    status: text('status'),
    contentHash: text('content_hash'),
    sizeBytes: number('size_bytes'),
    referenceCount: number('reference_count'),
    dueAt: time('due_at'),
    attempts: number('attempts'),
    error: text('error'),
    lostAt: time('lost_at'),
    createdAt: time('created_at'),
  },
});
