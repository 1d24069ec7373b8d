import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Catalog, type Upload } from '@millrace/catalog';
import { DomainError, type Principal } from '@millrace/domain';
import { BlobWriter, objectKeys } from '@millrace/object-store';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { checkHash } from './check-hash.js';
import { openFile } from './incoming-file.js';
import { UploadPlaces } from './upload-places.js';

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
   * @throws DomainError `request.too_many`, `upload.empty`, `upload.too_large`, `upload.digest_mismatch`, `upload.interrupted` and what
   * `openFile` throws
   */
  async receive(caller: Principal, request: FastifyRequest): Promise<Upload> {
    return this.places.run(caller.tenantId, () => this.take(caller, request));
  }

  private async take(caller: Principal, request: FastifyRequest): Promise<Upload> {
    const { tenantId, userId } = caller;
    const { uploadBytesMax } = await this.catalog.tenants.limitsOf(tenantId);
    const bytesMax = Math.min(uploadBytesMax, this.settings.uploadBytesMax);
    const file = await openFile(request, { bytesMax, idleMs: this.settings.uploadIdleMs });
    const key = { tenantId, storageKey: objectKeys.upload(tenantId) };
    const blob = await this.writer.write(key, { body: file.body, bytesMax });
    try {
      checkWritten(blob, file.expectedHash);
      return await this.catalog.uploads.commit({
        ...{ tenantId, userId, blob },
        contentType: file.contentType,
        contentEncoding: file.contentEncoding ?? undefined,
        fileName: file.fileName ?? undefined,
        expiresInMs: this.settings.uploadRetentionMs,
      });
    } catch (error) {
      await this.writer.giveUp(key);
      throw error;
    }
  }
}

function checkWritten(blob: { sizeBytes: number; contentHash: string }, expectedHash: string | undefined): void {
  if (blob.sizeBytes === 0) throw new DomainError('upload.empty', 'The file has no bytes.');
  checkHash(blob, expectedHash);
}
