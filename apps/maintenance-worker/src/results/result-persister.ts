import type { Catalog, Result } from '@millrace/catalog';
import { DomainError, type ObjectStore } from '@millrace/domain';
import { meterBytes, type Metered } from '@millrace/object-store';
import type { JobContext } from '@millrace/queue';
import { readFooter } from './footer-reader.js';
import type { ParquetFooter } from './parquet-footer.js';
import type { ResultAnnouncer } from './result-announcer.js';

export interface ResultPersisterParts {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly announcer: ResultAnnouncer;
}

/** A result whose file is in the store. */
interface StoredFile {
  readonly storageKey: string;
  readonly contentHash: string;
  readonly sizeBytes: number;
}

/** Makes a result ready once its file in the store is proven to be what the query wrote. */
export class ResultPersister {
  constructor(private readonly parts: ResultPersisterParts) {}

  /**
   * @throws DomainError `result.corrupt`, `result.file_missing`, `query.result_too_large`; `storage.unavailable`,
   *   `service.unavailable`; `job.lost` when the attempt is not current; the signal's reason
   */
  async persist({ fence, signal, progress }: JobContext): Promise<void> {
    const { catalog, announcer } = this.parts;
    const result = await catalog.results.getForPersist(fence);
    const footer = await this.verify(result, signal);
    progress(1);
    await catalog.results.commitReady(fence, { statistics: { ...footer } });
    await announcer.announce(result);
  }

  private async verify(result: Result, signal: AbortSignal): Promise<ParquetFooter> {
    const file = storedFileOf(result);
    await this.checkBytes(result, file, signal);
    const footer = await readFooter(this.parts.store, file, signal);
    checkShape(footer, result);
    return footer;
  }

  /** Bytes that are missing or damaged do not stand for their content any more: it is written anew when it comes again. */
  private async checkBytes({ tenantId }: Result, file: StoredFile, signal: AbortSignal): Promise<void> {
    const { storageKey } = file;
    const damage = await this.findDamage(file, signal);
    if (!damage) return;
    await this.parts.catalog.blobs.markLost({ tenantId, storageKey });
    throw damage;
  }

  private async findDamage(file: StoredFile, signal: AbortSignal): Promise<DomainError | undefined> {
    const found = await this.meter(file.storageKey, signal).catch((error: unknown) => {
      if (error instanceof DomainError && error.code === 'storage.object_missing') return undefined;
      throw error;
    });
    if (!found) return fileMissing();
    if (found.sizeBytes !== file.sizeBytes) return corrupt(`has ${found.sizeBytes} bytes, not ${file.sizeBytes}`);
    return found.contentHash === file.contentHash ? undefined : corrupt('has another SHA-256 than when it was written');
  }

  private async meter(storageKey: string, signal: AbortSignal): Promise<Metered> {
    const metered = meterBytes(await this.parts.store.get(storageKey, { signal }));
    const chunks = metered[Symbol.asyncIterator]();
    while (!(await chunks.next()).done) signal.throwIfAborted();
    return metered.result();
  }
}

function storedFileOf({ storageKey, contentHash, sizeBytes }: Result): StoredFile {
  if (storageKey !== null && contentHash !== null && sizeBytes !== null) return { storageKey, contentHash, sizeBytes };
  throw fileMissing();
}

function checkShape({ rowCount, columnCount }: ParquetFooter, result: Result): void {
  if (rowCount !== result.rowCount) throw corrupt(`has ${rowCount} rows, not ${result.rowCount}`);
  const columns = result.columns.length;
  if (columnCount !== columns) throw corrupt(`has ${columnCount} columns, not ${columns}`);
}

function fileMissing(): DomainError {
  return new DomainError('result.file_missing', 'The file of the result is missing. Run the query again.');
}

function corrupt(what: string): DomainError {
  return new DomainError('result.corrupt', `The file of the result ${what}. Run the query again.`);
}
