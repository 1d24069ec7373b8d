import 'reflect-metadata';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { Catalog } from '@millrace/catalog';
import type { Environment } from '@millrace/config';
import type { EventBus, ObjectStore } from '@millrace/domain';
import { EnginePool, measureEngine } from '@millrace/engine';
import { BlobWriter, ReadCache } from '@millrace/object-store';
import { BullMqServer, JOBS, type JobCatalog, type QueueLocation } from '@millrace/queue';
import type { Logger, Registry } from '@millrace/telemetry';
import { ConvertWorkerModule } from './convert-worker.module.js';
import { ConversionMetrics } from './conversions/conversion-metrics.js';
import { DatasetConverter } from './conversions/dataset-converter.js';
import { VersionWriter } from './conversions/version-writer.js';

export interface ConvertWorkerOptions {
  readonly environment: Environment;
  readonly queueLocation: QueueLocation;
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly events: EventBus;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** A folder on a local disk for engine processes and the files they read; several services may share it. */
  readonly engineFolder: string;
}

export interface ConvertWorker {
  /** Takes no more jobs, gives the running ones `DRAIN_MS`, and leaves the others to a next attempt. */
  close(): Promise<void>;
}

/** What a job may take beyond the conversion itself, to fetch the source and to store the files. */
const TRANSFER_MS = 60 * 60_000;

/**
 * Starts the service that turns uploaded bytes into Parquet.
 *
 * @throws when Postgres or the queue does not answer, or engine processes can't be started
 */
export async function startConvertWorker(options: ConvertWorkerOptions): Promise<ConvertWorker> {
  // Engine processes run as another user and have to pass.
  await mkdir(options.engineFolder, { recursive: true, mode: 0o711 });
  const sources = await openSources(options);
  const engine = openEngine(options);
  const release = async (): Promise<void> => {
    await engine.close();
    await sources.close();
  };
  try {
    await engine.ready();
    measureEngine(options.metrics, { conversions: engine });
    const app = await startApp(options, makeConverter(options, engine, sources));
    return {
      close: async () => {
        await app.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** An upload is read once: to keep it would take room from the next one. */
function openSources({ store, engineFolder, metrics, logger }: ConvertWorkerOptions): Promise<ReadCache> {
  const options = { bytesMax: 0, idleMsMax: 0 };
  return ReadCache.open({ store, root: join(engineFolder, 'sources'), metrics, logger, options });
}

function openEngine({ environment, engineFolder, logger }: ConvertWorkerOptions): EnginePool {
  return new EnginePool({
    workDir: engineFolder,
    childrenMax: environment.CONVERT_CONCURRENCY,
    // Jobs are admitted fairly. One that waited here would keep its place in the worker from the next tenant's job.
    childrenPerTenantMax: environment.CONVERT_CONCURRENCY,
    parseChildrenMax: 0,
    memoryBytes: environment.CONVERT_MEMORY_BYTES,
    isolation: environment.ENGINE_ISOLATION,
    ownUsers: { first: environment.ENGINE_UID_FIRST, count: environment.ENGINE_UID_COUNT },
    logger,
  });
}

function makeConverter(
  { environment, catalog, store, logger, metrics }: ConvertWorkerOptions,
  engine: EnginePool,
  sources: ReadCache,
): DatasetConverter {
  const leaseMs = environment.LEASE_MS;
  const blobs = new BlobWriter(store, catalog.blobs, { leaseMs });
  const writer = new VersionWriter({ catalog, blobs, leaseMs });
  const timeoutMs = environment.CONVERT_TIMEOUT_MS;
  const observed = new ConversionMetrics(metrics);
  return new DatasetConverter({ catalog, engine, sources, writer, metrics: observed, logger, timeoutMs });
}

async function startApp(
  { environment, queueLocation, catalog, events, logger, metrics }: ConvertWorkerOptions,
  converter: DatasetConverter,
): Promise<{ close(): Promise<void> }> {
  const strategy = new BullMqServer({
    queues: [{ name: 'convert', concurrency: environment.CONVERT_CONCURRENCY }],
    ledger: catalog.jobs,
    events,
    queueLocation,
    logger,
    metrics,
    drainMs: environment.DRAIN_MS,
    catalog: jobCatalog(environment),
  });
  const module = ConvertWorkerModule.with(converter);
  const app = await NestFactory.createMicroservice(module, { strategy, logger: false, abortOnError: false });
  await app.listen();
  return app;
}

/** The jobs with the times of this installation: the conversion's own deadline comes before that of its job. */
function jobCatalog({ LEASE_MS, CONVERT_TIMEOUT_MS }: Environment): JobCatalog {
  const convert = { ...JOBS['dataset.convert'], leaseMs: LEASE_MS, timeLimitMs: CONVERT_TIMEOUT_MS + TRANSFER_MS };
  return { ...JOBS, 'dataset.convert': convert };
}
