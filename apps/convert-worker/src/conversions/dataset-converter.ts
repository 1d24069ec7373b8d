import { rm } from 'node:fs/promises';
import type { Catalog, Conversion } from '@millrace/catalog';
import { DomainError } from '@millrace/domain';
import type { ConvertResult, EnginePool } from '@millrace/engine';
import type { CachedFile, ReadCache } from '@millrace/object-store';
import type { JobContext } from '@millrace/queue';
import type { Logger } from '@millrace/telemetry';
import type { ConversionMetrics } from './conversion-metrics.js';
import { convertTask } from './convert-task.js';
import type { VersionWriter } from './version-writer.js';

export interface DatasetConverterParts {
  readonly catalog: Catalog;
  readonly engine: EnginePool;
  readonly sources: ReadCache;
  readonly writer: VersionWriter;
  readonly metrics: ConversionMetrics;
  readonly logger: Logger;
  /** Deadline of one conversion in the engine. */
  readonly timeoutMs: number;
}

/** Where the parts of the work stand on the way from 0 to 1. */
const FETCHED = 0.1;
const CONVERTED = 0.9;

/** What the store says of an object that is not there any more, or not as it was. */
const LOST: ReadonlySet<string> = new Set(['storage.object_missing', 'storage.object_corrupt']);

/**
 * Turns the source of a dataset's version into Parquet files in the store. Writes nothing for an attempt that is not
 * the current one, and leaves neither a local file nor an uncommitted one in the store, however it ends.
 */
export class DatasetConverter {
  constructor(private readonly parts: DatasetConverterParts) {}

  /**
   * @throws DomainError `conversion.*` for what is wrong with the file; `storage.*`, `service.unavailable`;
   *   `job.lost` when the attempt is not current; the signal's reason
   */
  async convert(context: JobContext): Promise<void> {
    await this.parts.metrics.observe(async () => {
      const conversion = await this.parts.catalog.versions.getForConversion(context.fence);
      const result = await this.convertSource(conversion, context);
      try {
        return await this.parts.writer.write(conversion, result, {
          fence: context.fence,
          signal: context.signal,
          onProgress: (fraction) => context.progress(CONVERTED + (1 - CONVERTED) * fraction),
        });
      } finally {
        for (const { path } of result.files) await rm(path, { force: true });
      }
    });
  }

  private async convertSource(conversion: Conversion, context: JobContext): Promise<ConvertResult> {
    const { engine, timeoutMs } = this.parts;
    const { signal, progress } = context;
    progress(0);
    const file = await this.fetch(conversion, signal);
    try {
      progress(FETCHED);
      return await engine.run(convertTask(conversion, file.path), {
        tenantId: conversion.tenantId,
        deadlineMs: timeoutMs,
        signal,
        onProgress: (fraction) => progress(FETCHED + (CONVERTED - FETCHED) * fraction),
      });
    } finally {
      await file.release();
    }
  }

  private async fetch({ tenantId, versionId, source }: Conversion, signal: AbortSignal): Promise<CachedFile> {
    const { catalog, sources, logger } = this.parts;
    const { storageKey, contentHash, sizeBytes } = source;
    try {
      return await sources.acquire({ tenantId, storageKey, contentHash, sizeBytes, signal });
    } catch (error) {
      if (!(error instanceof DomainError) || !LOST.has(error.code)) throw error;
      // Bytes that something refers to are gone. Another attempt would not find them either; the same file, when it is
      // sent again, is written anew; and somebody has to know.
      await catalog.blobs.markLost({ tenantId, storageKey });
      logger.error({ tenantId, versionId, storageKey, code: error.code }, 'the source of a conversion is missing');
      throw new DomainError(error.code, 'The bytes of the source are lost. Send the file again.', { cause: error });
    }
  }
}
