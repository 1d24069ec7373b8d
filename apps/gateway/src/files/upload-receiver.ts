import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Catalog, type Upload } from '@millrace/catalog';
import { DomainError, type Principal, type UploadId } from '@millrace/domain';
import type { IdempotentWork } from '@millrace/http';
import { BlobWriter, meterBytes, objectKeys } from '@millrace/object-store';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { checkHash } from './check-hash.js';
import { openFile } from './incoming-file.js';
import { UploadPlaces } from './upload-places.js';
import type { FileDescription, IncomingFile } from './upload-request.js';

/** Takes files in: the bytes stream once through a counter and a hash into the store, then one row says that they are there. */
@Injectable()
export class UploadReceiver {
  constructor(
    private readonly catalog: Catalog,
    private readonly writer: BlobWriter,
    private readonly places: UploadPlaces,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  /**
   * Stores the file of a request and gives its upload. Whatever goes wrong leaves neither bytes nor a row.
   *
   * A file that comes again with its key is read and not stored: what it was the first time is given, or nothing where
   * there is an answer of the first time to give.
   *
   * @throws DomainError `request.too_many`, `upload.empty`, `upload.too_large`, `upload.digest_mismatch`, `upload.interrupted`,
   * `idempotency.key_reused`, `idempotency.in_progress` and what `openFile` throws
   */
  async receive(caller: Principal, request: FastifyRequest, work?: IdempotentWork): Promise<Upload | undefined> {
    return this.places.run(caller.tenantId, async () => {
      const file = await this.open(caller, request);
      if (!work) return this.store(caller, file);
      if (work.effectId === undefined && !work.answer) return this.store(caller, file, work);
      await compare(file, work);
      if (work.answer || work.effectId === undefined) return undefined;
      return this.catalog.uploads.get(caller.tenantId, work.effectId as UploadId);
    });
  }

  private async open({ tenantId }: Principal, request: FastifyRequest): Promise<BoundedFile> {
    const { uploadBytesMax } = await this.catalog.tenants.limitsOf(tenantId);
    const bytesMax = Math.min(uploadBytesMax, this.settings.uploadBytesMax);
    return { ...(await openFile(request, { bytesMax, idleMs: this.settings.uploadIdleMs })), bytesMax };
  }

  private async store({ tenantId, userId }: Principal, file: BoundedFile, work?: IdempotentWork): Promise<Upload> {
    const { body, bytesMax } = file;
    const key = { tenantId, storageKey: objectKeys.upload(tenantId) };
    const blob = await this.writer.write(key, { body, bytesMax });
    try {
      checkWritten(blob, file.expectedHash);
      return await this.catalog.uploads.commit({
        ...{ tenantId, userId, blob },
        contentType: file.contentType,
        contentEncoding: file.contentEncoding ?? undefined,
        fileName: file.fileName ?? undefined,
        expiresInMs: this.settings.uploadRetentionMs,
        claim: work?.claim && { ...work.claim, fingerprint: fingerprintOfFile(work, file, blob) },
      });
    } catch (error) {
      await this.writer.giveUp(key);
      throw error;
    }
  }
}

type BoundedFile = IncomingFile & { readonly bytesMax: number };

/** Reads a file for what it is. @throws DomainError `idempotency.key_reused` */
async function compare(file: BoundedFile, work: IdempotentWork): Promise<void> {
  const metered = meterBytes(file.body, { bytesMax: file.bytesMax });
  const chunks = metered[Symbol.asyncIterator]();
  while (!(await chunks.next()).done);
  work.check(fingerprintOfFile(work, file, metered.result()));
}

/** The file and what is said of it; not the body of the request, since a form has another boundary each time. */
function fingerprintOfFile(
  work: IdempotentWork,
  { fileName, contentType, contentEncoding }: FileDescription,
  { contentHash }: { readonly contentHash: string },
): string {
  return work.fingerprintOf(JSON.stringify([contentHash, fileName, contentType, contentEncoding]));
}

function checkWritten(blob: { sizeBytes: number; contentHash: string }, expectedHash: string | undefined): void {
  if (blob.sizeBytes === 0) throw new DomainError('upload.empty', 'The file has no bytes.');
  checkHash(blob, expectedHash);
}
