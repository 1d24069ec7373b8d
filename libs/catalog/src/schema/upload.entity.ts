import type { ErrorRecord, TenantId, UploadId, UploadStatus, UserId } from '@millrace/domain';
import { EntitySchema } from 'typeorm';
import { flag, identity, json, number, text, time } from './columns.js';
import { errorRecord } from './json.js';

export interface Upload {
  readonly tenantId: TenantId;
  readonly id: UploadId;
  /** Who uploaded it. */
  readonly userId: UserId;
  readonly status: UploadStatus;
  /** Where the bytes are, while the upload holds them: pending and processing. */
  readonly storageKey: string | null;
  /** SHA-256, 64 hexadecimal digits in lower case; null before the bytes are there. */
  readonly contentHash: string | null;
  /** While it is uploading: what was announced. */
  readonly sizeBytes: number;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly fileName: string | null;
  /** Whether the tenant had the same bytes already. */
  readonly deduplicated: boolean;
  /** Why the last conversion failed. */
  readonly error: ErrorRecord | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly consumedAt: Date | null;
}

export const UploadEntity = new EntitySchema<Upload>({
  name: 'upload',
  tableName: 'uploads',
  columns: {
    ...identity,
    userId: text('user_id'),
    status: text('status'),
    storageKey: text('storage_key'),
    contentHash: text('content_hash'),
    sizeBytes: number('size_bytes'),
    contentType: text('content_type'),
    contentEncoding: text('content_encoding'),
    fileName: text('file_name'),
    deduplicated: flag('deduplicated'),
    error: json('error', errorRecord),
    createdAt: time('created_at'),
    expiresAt: time('expires_at'),
    consumedAt: time('consumed_at'),
  },
});
