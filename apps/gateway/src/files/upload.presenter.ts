import type { Upload } from '@millrace/catalog';
import type { UploadBody } from '@millrace/contract';
import { presentError } from '../presenting.js';

/** An upload as the contract shows it. */
export function presentUpload(upload: Upload): UploadBody {
  return {
    id: upload.id,
    status: upload.status,
    file_name: upload.fileName,
    size_bytes: upload.sizeBytes,
    content_type: upload.contentType ?? 'application/octet-stream',
    content_encoding:
      upload.contentEncoding === 'gzip' || upload.contentEncoding === 'zstd' ? upload.contentEncoding : null,
    content_hash: upload.contentHash === null ? null : `sha-256:${upload.contentHash}`,
    deduplicated: upload.deduplicated,
    created_at: upload.createdAt.toISOString(),
    expires_at: upload.expiresAt.toISOString(),
    consumed_at: upload.consumedAt?.toISOString() ?? null,
    last_error: presentError(upload.error),
  };
}
