import { Inject, Injectable } from '@nestjs/common';
import type { BlobKey, ObjectStore, WrittenBlob } from '@millrace/domain';
import { meterBytes } from '@millrace/object-store';
import { OBJECT_STORE } from '../tokens.js';
import { UploadPlaces } from './upload-places.js';

/** Reads bytes that a client wrote into the store, for what they are. */
@Injectable()
export class BlobReader {
  constructor(
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    private readonly places: UploadPlaces,
  ) {}

  /**
   * Size and hash of what the store really has.
   *
   * @throws DomainError `request.too_many`, `storage.unavailable`, `storage.object_missing`; the signal's reason
   */
  read({ tenantId, storageKey }: BlobKey, signal: AbortSignal): Promise<WrittenBlob> {
    return this.places.run(tenantId, async () => {
      const metered = meterBytes(await this.store.get(storageKey, { signal }));
      const chunks = metered[Symbol.asyncIterator]();
      while (!(await chunks.next()).done);
      return { storageKey, ...metered.result() };
    });
  }
}
