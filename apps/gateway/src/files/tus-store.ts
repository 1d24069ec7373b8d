import type { Readable } from 'node:stream';
import { DataStore, Metadata, Upload } from '@tus/server';
import type { Catalog, ResumableUpload, UploadPiece } from '@millrace/catalog';
import {
  DomainError,
  ownThings,
  type Principal,
  type UploadId,
  type WrittenBlob,
  type ObjectStore,
} from '@millrace/domain';
import { type BlobWriter, objectKeys } from '@millrace/object-store';
import { checkHash } from './check-hash.js';
import { PieceCutter } from './piece-cutter.js';
import type { TusChecksum } from './tus-checksum.js';
import { cleanFileName, cleanMediaType, encodingOf } from './upload-request.js';

/** What a gateway that is killed may lose of what has come, and large enough for a store to take it well. */
export const PIECE_BYTES = 16 * 1024 * 1024;

const SHA_256 = /^[0-9a-f]{64}$/;

export interface TusStoreParts {
  readonly catalog: Catalog;
  readonly writer: BlobWriter;
  readonly store: ObjectStore;
  /** How long an upload lives without a word, and waits when it is complete. */
  readonly retentionMs: number;
  /** Of the bytes of this request, if the client says one. */
  readonly checksum: TusChecksum | undefined;
}

/**
 * Uploads in pieces, of one caller, as the library of tus wants a store to be. Each piece is an object of its own until the last
 * one is there; then they become one, under a key like that of any other upload.
 */
export class TusStore extends DataStore {
  override extensions = ['creation', 'creation-with-upload', 'expiration', 'checksum', 'termination'];
  /** The library tells from this object when the upload expires. */
  private shown: Upload | undefined;

  constructor(
    private readonly caller: Principal,
    private readonly parts: TusStoreParts,
  ) {
    super();
  }

  override getExpiration(): number {
    return this.parts.retentionMs;
  }

  /** @throws DomainError `upload.empty`, `upload.encoding_unsupported`, `request.invalid` */
  override async create(upload: Upload): Promise<Upload> {
    const { tenantId, userId } = this.caller;
    const { size: sizeBytes = 0, metadata = {} } = upload;
    if (sizeBytes === 0) throw new DomainError('upload.empty', 'The file has no bytes.');
    await this.parts.catalog.resumableUploads.begin({
      ...{ tenantId, userId, sizeBytes, id: upload.id as UploadId },
      ...describe(metadata),
      metadata: Metadata.stringify(metadata),
      expiresInMs: this.parts.retentionMs,
    });
    this.shown = upload;
    return upload;
  }

  /** What there is of an upload. One whose pieces are all there, but which was left before they became one, is completed. */
  override async getUpload(id: string): Promise<Upload> {
    let found = await this.find(id);
    if (found.status === 'uploading' && found.receivedBytes === found.sizeBytes) {
      await this.finish(id as UploadId, found);
      found = await this.find(id);
    }
    const upload = new Upload({
      id,
      size: found.sizeBytes,
      offset: found.receivedBytes,
      ...(found.metadata !== '' && { metadata: Metadata.parse(found.metadata) }),
      // The library counts from the beginning: expiry slides when that does.
      creation_date: this.beginOf(found.expiresAt),
    });
    this.shown = upload;
    return upload;
  }

  /**
   * Keeps what comes, piece by piece.
   *
   * @returns how many bytes there are now
   * With a checksum they are one piece, which is kept when it is whole and right.
   *
   * @throws DomainError `upload.offset_mismatch`, `upload.complete`, `upload.not_found`, `upload.checksum_mismatch`; what the
   *   stream throws, when what came until then is kept
   */
  override async write(bytes: Readable, id: string, offset: number): Promise<number> {
    const pieceBytes = this.parts.checksum ? Number.MAX_SAFE_INTEGER : PIECE_BYTES;
    const pieces = new PieceCutter(bytes as AsyncIterable<Uint8Array>, pieceBytes);
    let receivedBytes = offset;
    while (await pieces.hasMore()) {
      receivedBytes += await this.keep(id as UploadId, { startByte: receivedBytes, pieces });
    }
    if (pieces.failure !== undefined) throw pieces.failure;
    const upload = await this.find(id);
    if (receivedBytes === upload.sizeBytes) await this.finish(id as UploadId, upload);
    return receivedBytes;
  }

  /** @throws DomainError `upload.not_found`, `upload.in_use` */
  override async remove(id: string): Promise<void> {
    const { catalog } = this.parts;
    await this.find(id);
    await catalog.uploads.delete(this.caller.tenantId, id as UploadId, ownThings(this.caller));
  }

  private find(id: string): Promise<ResumableUpload> {
    const { tenantId } = this.caller;
    return this.parts.catalog.resumableUploads.get({ tenantId, id: id as UploadId, ...ownThings(this.caller) });
  }

  private async keep(
    id: UploadId,
    { startByte, pieces }: { readonly startByte: number; readonly pieces: PieceCutter },
  ): Promise<number> {
    const { catalog, writer, checksum, retentionMs: expiresInMs } = this.parts;
    const { tenantId } = this.caller;
    const key = { tenantId, storageKey: objectKeys.upload(tenantId) };
    const blob = await writer.write(key, { body: checksum ? checksum.pass(pieces.next()) : pieces.next() });
    try {
      if (checksum) {
        if (pieces.failure !== undefined) throw pieces.failure;
        checksum.check();
      }
      const expiresAt = await catalog.resumableUploads.append({ tenantId, id, startByte, blob, expiresInMs });
      if (this.shown) this.shown.creation_date = this.beginOf(expiresAt);
      return blob.sizeBytes;
    } catch (error) {
      await writer.giveUp(key);
      throw error;
    }
  }

  private async finish(id: UploadId, { expectedHash }: ResumableUpload): Promise<void> {
    const { catalog, writer, retentionMs: expiresInMs } = this.parts;
    const { tenantId } = this.caller;
    const [first, ...more] = await catalog.resumableUploads.listPieces({ tenantId, id });
    if (!first) return;
    const key = { tenantId, storageKey: objectKeys.upload(tenantId) };
    const blob: WrittenBlob =
      more.length === 0 ? first : await writer.write(key, { body: this.join([first, ...more]) });
    try {
      checkHash(blob, expectedHash ?? undefined);
      await catalog.resumableUploads.commit({ tenantId, id, blob, expiresInMs });
    } catch (error) {
      if (error instanceof DomainError && error.code === 'upload.digest_mismatch') {
        await catalog.resumableUploads.discard({ tenantId, id });
      }
      throw error;
    } finally {
      // Where it was committed, this does nothing; somebody else may have been faster.
      if (blob !== first) await writer.giveUp(key);
    }
  }

  private async *join(pieces: readonly UploadPiece[]): AsyncGenerator<Uint8Array> {
    for (const { storageKey } of pieces) yield* await this.parts.store.get(storageKey);
  }

  private beginOf(expiresAt: Date): string {
    return new Date(expiresAt.getTime() - this.parts.retentionMs).toISOString();
  }
}

/** What `Upload-Metadata` says about the file. @throws DomainError `upload.encoding_unsupported`, `request.invalid` */
function describe(metadata: Readonly<Record<string, string | null>>) {
  const text = (name: string): string | undefined => metadata[name] ?? undefined;
  const expectedHash = text('sha256')?.toLowerCase();
  if (expectedHash !== undefined && !SHA_256.test(expectedHash)) {
    throw new DomainError('request.invalid', '"sha256" in Upload-Metadata is the SHA-256 in hexadecimal, 64 digits.');
  }
  return {
    fileName: cleanFileName(text('filename')) ?? undefined,
    contentType: cleanMediaType(text('filetype')),
    contentEncoding: encodingOf(text('content_encoding')) ?? undefined,
    expectedHash,
  };
}
