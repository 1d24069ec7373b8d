import { Inject, Injectable } from '@nestjs/common';
import { Catalog, type DirectUploadRow, type Upload } from '@millrace/catalog';
import { PART_URLS_MAX } from '@millrace/contract';
import {
  DomainError,
  ownThings,
  type DirectUpload,
  type DirectUploads,
  type ErrorCode,
  type Principal,
  type SentPart,
  type SignedPart,
  type UploadId,
  type WrittenBlob,
} from '@millrace/domain';
import { BlobWriter, objectKeys } from '@millrace/object-store';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { DIRECT_UPLOADS } from '../tokens.js';
import { BlobReader } from './blob-reader.js';
import { checkHash } from './check-hash.js';
import { partCountOf, partOf, partSizeOf } from './part-cut.js';
import { cleanFileName, cleanMediaType, tooLarge } from './upload-request.js';

/** An upload says three times per lease that it lives. */
const SLIDES_PER_LEASE = 3;

/** With these the bytes may be deleted at any moment. */
const GONE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['upload.expired', 'upload.not_found']);

export interface PresignRequest {
  readonly size_bytes: number;
  readonly content_type?: string | undefined;
  readonly content_encoding?: 'gzip' | 'zstd' | 'identity' | undefined;
  readonly filename?: string | undefined;
  readonly sha256?: string | undefined;
}

export interface PresignedUpload {
  readonly upload: Upload;
  readonly partSizeBytes: number;
  readonly partCount: number;
  readonly parts: readonly SignedPart[];
}

/**
 * Uploads whose bytes go from the client straight to the store. The catalog knows the key before the store hears of it,
 * and what the client never completes is swept like any write whose writer went away.
 */
@Injectable()
export class DirectUploader {
  constructor(
    private readonly catalog: Catalog,
    private readonly writer: BlobWriter,
    private readonly reader: BlobReader,
    @Inject(DIRECT_UPLOADS) private readonly direct: DirectUploads | null,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  /** @throws DomainError `upload.direct_unsupported`, `upload.too_large` */
  async begin(caller: Principal, request: PresignRequest): Promise<PresignedUpload> {
    const direct = this.requireDirect();
    const { tenantId, userId } = caller;
    const sizeBytes = request.size_bytes;
    await this.checkSize(caller, sizeBytes);
    const key = { tenantId, storageKey: objectKeys.upload(tenantId) };
    const leaseMs = this.settings.presignedUrlMs;
    await this.catalog.blobs.beginWriting({ ...key, leaseMs });
    try {
      const begun = await direct.begin(key.storageKey);
      const partSizeBytes = partSizeOf(sizeBytes);
      const partCount = partCountOf({ sizeBytes, partSizeBytes });
      const firstParts = Array.from({ length: Math.min(partCount, PART_URLS_MAX) }, (_, index) =>
        partOf({ sizeBytes, partSizeBytes }, index + 1),
      );
      const parts = await direct.signParts(begun, { parts: firstParts, expiresInMs: leaseMs });
      const upload = await this.catalog.directUploads.begin({
        ...{ tenantId, userId, sizeBytes, partSizeBytes, leaseMs },
        storageKey: begun.key,
        storeUploadId: begun.uploadId,
        contentType: cleanMediaType(request.content_type),
        contentEncoding: request.content_encoding === 'identity' ? undefined : request.content_encoding,
        fileName: cleanFileName(request.filename) ?? undefined,
        expectedHash: request.sha256,
      });
      return { upload, partSizeBytes, partCount, parts };
    } catch (error) {
      await this.writer.giveUp(key);
      throw error;
    }
  }

  /** @throws DomainError `upload.direct_unsupported`, `upload.not_found`, `upload.complete`, `upload.expired` */
  async sign(
    caller: Principal,
    { id, numbers }: { readonly id: UploadId; readonly numbers: readonly number[] },
  ): Promise<{ readonly upload: Upload; readonly parts: readonly SignedPart[] }> {
    await this.catalog.uploads.get(caller.tenantId, id, ownThings(caller));
    const direct = this.requireDirect();
    const upload = await this.slide(caller, id);
    const row = await this.catalog.directUploads.find(upload);
    if (!row) throw new DomainError('upload.complete', 'The upload is complete and takes no more parts.');
    const { sizeBytes } = upload;
    const parts = [...new Set(numbers)].map((number) =>
      partOf({ sizeBytes, partSizeBytes: row.partSizeBytes }, number),
    );
    const expiresInMs = this.settings.presignedUrlMs;
    return { upload, parts: await direct.signParts(storeUploadOf(row), { parts, expiresInMs }) };
  }

  /**
   * Makes the parts one file and verifies it. Once more gives the same upload, whatever happened to it since.
   *
   * @throws DomainError `upload.direct_unsupported`, `upload.not_found`, `upload.expired`, `upload.parts_invalid`,
   *   `request.too_many`; `upload.digest_mismatch`: then nothing is kept
   */
  async complete(
    caller: Principal,
    request: { readonly id: UploadId; readonly parts: readonly SentPart[]; readonly sha256?: string | undefined },
  ): Promise<Upload> {
    const { tenantId } = caller;
    const upload = await this.catalog.uploads.get(tenantId, request.id, ownThings(caller));
    const direct = this.requireDirect();
    const row = await this.catalog.directUploads.find(upload);
    if (!row) return this.completed(caller, request);
    let blob: WrittenBlob;
    try {
      blob = await this.keptAlive(caller, upload.id, async (signal) => {
        const { parts } = request;
        await direct.complete(storeUploadOf(row), { parts, sizeBytes: upload.sizeBytes, signal });
        return this.reader.read({ tenantId, storageKey: row.storageKey }, signal);
      });
    } catch (error) {
      // Somebody else may have completed it at the same time, and its bytes may have gone to another key since.
      const now = await this.catalog.uploads.get(tenantId, upload.id, ownThings(caller));
      if (now.status === 'uploading' || now.status === 'expired') throw error;
      return this.completed(caller, request);
    }
    await this.checkHashes(blob, { upload, hashes: [row.expectedHash, request.sha256] });
    const expiresInMs = this.settings.uploadRetentionMs;
    return this.catalog.directUploads.commit({ tenantId, id: upload.id, blob, expiresInMs });
  }

  /** The answer to whoever completes what was completed. */
  private async completed(
    caller: Principal,
    { id, sha256 }: { readonly id: UploadId; readonly sha256?: string | undefined },
  ): Promise<Upload> {
    const upload = await this.catalog.uploads.get(caller.tenantId, id, ownThings(caller));
    if (upload.status === 'expired' || upload.contentHash === null) {
      throw new DomainError('upload.expired', 'The upload was not completed, or not used, in time. Begin a new one.');
    }
    checkHash({ contentHash: upload.contentHash }, sha256);
    return upload;
  }

  /** Bytes that are not what they should be are not kept: in the store they can't be changed any more. */
  private async checkHashes(
    blob: WrittenBlob,
    { upload, hashes }: { readonly upload: Upload; readonly hashes: readonly (string | null | undefined)[] },
  ): Promise<void> {
    try {
      for (const hash of hashes) checkHash(blob, hash ?? undefined);
    } catch (error) {
      await this.catalog.directUploads.discard(upload);
      throw error;
    }
  }

  private slide(caller: Principal, id: UploadId): Promise<Upload> {
    const { tenantId } = caller;
    return this.catalog.directUploads.slide({
      ...{ tenantId, id, ...ownThings(caller) },
      leaseMs: this.settings.presignedUrlMs,
    });
  }

  /** Runs work on an upload while its lease slides; whoever completes it at the same time may end it first. */
  private async keptAlive<T>(caller: Principal, id: UploadId, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const lost = new AbortController();
    const onLost = (error: unknown): void => {
      // A database that is away for a moment does no harm; whoever completes it at the same time does not, either.
      if (error instanceof DomainError && GONE.has(error.code)) lost.abort(error);
    };
    const slide = (): void => void this.slide(caller, id).catch(onLost);
    await this.slide(caller, id);
    const timer = setInterval(slide, this.settings.presignedUrlMs / SLIDES_PER_LEASE);
    try {
      return await work(lost.signal);
    } finally {
      clearInterval(timer);
    }
  }

  private async checkSize({ tenantId }: Principal, sizeBytes: number): Promise<void> {
    const { uploadBytesMax } = await this.catalog.tenants.limitsOf(tenantId);
    const bytesMax = Math.min(uploadBytesMax, this.settings.uploadBytesMax);
    if (sizeBytes > bytesMax) throw tooLarge(bytesMax);
  }

  private requireDirect(): DirectUploads {
    if (this.direct) return this.direct;
    throw new DomainError(
      'upload.direct_unsupported',
      'The object store of this server takes no uploads past the server. Send the file to POST /v1/files.',
    );
  }
}

function storeUploadOf({ storageKey, storeUploadId }: DirectUploadRow): DirectUpload {
  return { key: storageKey, uploadId: storeUploadId };
}
