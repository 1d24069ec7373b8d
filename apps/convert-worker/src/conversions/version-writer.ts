import type { Catalog, CommitOutcome, Conversion, ConvertedFile } from '@millrace/catalog';
import { readingKey, sourceConfigSchema } from '@millrace/contract';
import type { JobFence } from '@millrace/domain';
import type { ConvertResult } from '@millrace/engine';
import { type BlobWriter, objectKeys } from '@millrace/object-store';

export interface VersionWriterParts {
  readonly catalog: Catalog;
  readonly blobs: BlobWriter;
  /** How long a written file waits for its commit before it counts as given up. */
  readonly leaseMs: number;
}

export interface WriteOptions {
  readonly fence: JobFence;
  readonly signal: AbortSignal;
  /** Called with a number from 0 to 1. */
  readonly onProgress: (fraction: number) => void;
}

/** The leases of files that wait for their siblings are extended three times before they would end. */
const EXTENSIONS_PER_LEASE = 3;

/** Stores the files of a conversion and makes them a version in one transaction, or leaves nothing behind. */
export class VersionWriter {
  constructor(private readonly parts: VersionWriterParts) {}

  /**
   * @returns `cancelled` when the dataset was deleted meanwhile
   * @throws DomainError `job.lost` when the attempt is not current any more; `storage.*`, `service.unavailable`; the
   *   signal's reason
   */
  async write(conversion: Conversion, result: ConvertResult, options: WriteOptions): Promise<CommitOutcome> {
    const { tenantId } = conversion;
    const written: ConvertedFile[] = [];
    const { leaseMs } = this.parts;
    const timer = setInterval(() => void this.extend(conversion, written), leaseMs / EXTENSIONS_PER_LEASE);
    try {
      await this.store(conversion, result, { ...options, written });
      options.signal.throwIfAborted();
      return await this.commit(conversion, result, { fence: options.fence, files: written });
    } catch (error) {
      for (const { storageKey } of written) await this.parts.blobs.giveUp({ tenantId, storageKey });
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  private async store(
    { tenantId, datasetId, versionId }: Conversion,
    { files }: ConvertResult,
    { signal, onProgress, written }: WriteOptions & { readonly written: ConvertedFile[] },
  ): Promise<void> {
    for (const [fileIndex, { path, rowCount }] of files.entries()) {
      const storageKey = objectKeys.datasetFile({ tenantId, datasetId, versionId, fileIndex });
      const blob = await this.parts.blobs.writeFile({ tenantId, storageKey }, { path, signal });
      written.push({ ...blob, rowCount });
      onProgress(written.length / files.length);
    }
  }

  private commit(
    { sourceConfig }: Conversion,
    result: ConvertResult,
    { fence, files }: { readonly fence: JobFence; readonly files: readonly ConvertedFile[] },
  ): Promise<CommitOutcome> {
    const { columns, rowCount, format, compression, encoding, dialect, profile, warnings } = result;
    return this.parts.catalog.versions.commitReady(fence, {
      files,
      columns,
      rowCount,
      sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
      statistics: { format, compression, ...(encoding && { encoding }), ...(dialect && { dialect }), warnings },
      profile,
      readingKey: readingKey(sourceConfigSchema.parse(sourceConfig)),
    });
  }

  /** A lease that could not be extended shows at the commit, which then refuses the file. */
  private async extend({ tenantId }: Conversion, written: readonly ConvertedFile[]): Promise<void> {
    const { catalog, leaseMs } = this.parts;
    for (const { storageKey } of written) {
      await catalog.blobs.extendWriting({ tenantId, storageKey, leaseMs }).catch(() => undefined);
    }
  }
}
