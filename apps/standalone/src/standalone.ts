import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LocalPostgres } from '@millrace/catalog/local-postgres';
import type { Environment } from '@millrace/config';
import { startConvertWorker } from '@millrace/convert-worker';
import type { DirectUploads, ObjectStore } from '@millrace/domain';
import { startGateway } from '@millrace/gateway';
import { Readiness } from '@millrace/http';
import { startMaintenanceWorker } from '@millrace/maintenance-worker';
import { startQueryService } from '@millrace/query-service';
import { BullMqEventBus, migrateQueue, parseQueueLocation, type QueueLocation } from '@millrace/queue';
import {
  Closers,
  engineFolder,
  openObjectStore,
  openServiceCatalog,
  openServiceTracing,
  type ServiceParts,
  VERSION,
  watchDependencies,
} from '@millrace/runtime';
import { createLogger, createMetrics, type DestinationStream, joinMetrics, measureProcess } from '@millrace/telemetry';
import { ensureCredentials, type IssuedCredentials } from './credentials.js';
import { FolderLock } from './folder-lock.js';
import { checkPort } from './port-check.js';

export interface StandaloneOptions {
  readonly environment: Environment;
  readonly logStream: DestinationStream;
  /** Told when no other process works on the data folder any more, before anything is done there. */
  readonly onFolderTaken?: () => void;
  /** Told of each step that takes a moment. */
  readonly onStep?: (step: string) => void;
  /** Ends the start after the step under way: what was started is closed, and the start fails with the reason. */
  readonly signal?: AbortSignal;
  /** Told once when a part that everything needs is gone for good; the caller then closes the rest and ends. */
  readonly onFatal?: (error: Error) => void;
  /** Puts something between the services and the store; tests inject faults there. */
  readonly wrapStore?: (store: ObjectStore) => ObjectStore;
}

export interface Standalone {
  readonly credentials: IssuedCredentials;
  /** Drains and stops everything in order, Postgres last. */
  close(): Promise<void>;
}

/**
 * Starts all services in this process: the same ones that run as processes of their own elsewhere, with an embedded
 * Postgres (unless there is a DATABASE_URL) and a folder as object store. They talk to each other as they would there.
 */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const closers = new Closers();
  try {
    const credentials = await startAll(options, closers);
    return { credentials, close: () => closers.closeAll() };
  } catch (error) {
    // Why it did not start is what counts, not what went wrong while it was undone.
    await closers.closeAll().catch(() => undefined);
    throw error;
  }
}

async function startAll(options: StandaloneOptions, closers: Closers): Promise<IssuedCredentials> {
  const { environment, onStep, signal } = options;
  const dataFolder = resolve(environment.DATA_DIR);
  // Others may pass through, to folders of theirs: Postgres and the engine run as users without rights.
  await mkdir(dataFolder, { recursive: true, mode: 0o711 });
  const lock = await FolderLock.take(dataFolder);
  closers.add(async () => lock.release());
  const tracing = await openServiceTracing(environment, 'standalone');
  closers.add(() => tracing.close());
  options.onFolderTaken?.();
  await checkPort(environment.PORT, environment.HOST);
  onStep?.('Starting Postgres');
  const databaseUrl = environment.DATABASE_URL ?? (await startPostgres(options, dataFolder, closers));
  signal?.throwIfAborted();
  const queueLocation = parseQueueLocation({ REDIS_URL: environment.REDIS_URL, databaseUrl });
  await migrateQueue(queueLocation);
  const stores = await openMigratedStore(options, databaseUrl, closers);
  signal?.throwIfAborted();
  onStep?.('Starting the services');
  return startServices({ ...options, dataFolder, databaseUrl, queueLocation, ...stores }, closers);
}

/** Only the catalog knows whether the store may be new, so its tables come first. */
async function openMigratedStore(
  options: StandaloneOptions,
  databaseUrl: string,
  closers: Closers,
): Promise<Pick<Place, 'store' | 'directUploads'>> {
  const { environment, logStream, wrapStore } = options;
  const logger = createLogger({ level: environment.LOG_LEVEL, service: 'standalone', stream: logStream });
  const catalog = await openServiceCatalog({ environment, databaseUrl, service: 'standalone', logger });
  try {
    await catalog.migrate();
    const { close, ...opened } = await openObjectStore(environment, catalog.blobs);
    closers.add(close);
    return { ...opened, store: wrapStore?.(opened.store) ?? opened.store };
  } finally {
    await catalog.close();
  }
}

async function startPostgres(
  { environment, logStream, onStep, onFatal }: StandaloneOptions,
  dataFolder: string,
  closers: Closers,
): Promise<string> {
  const logger = createLogger({ level: environment.LOG_LEVEL, service: 'standalone', stream: logStream });
  const postgres = await LocalPostgres.start({
    folder: join(dataFolder, 'postgres'),
    onUnexpectedEnd: (how) => {
      logger.error({ how }, 'Postgres ended unexpectedly and is started again');
      onStep?.(`Postgres ended unexpectedly (${how}), starting it again`);
    },
    ...(onFatal && { onLost: onFatal }),
  });
  closers.add(() => postgres.stop());
  return postgres.ensureDatabase('millrace');
}

interface Place extends StandaloneOptions {
  readonly dataFolder: string;
  readonly databaseUrl: string;
  readonly queueLocation: QueueLocation;
  readonly store: ObjectStore;
  readonly directUploads?: DirectUploads;
}

/** Whoever is asked stops last: services are closed in the reverse order of this start. */
async function startServices(place: Place, closers: Closers): Promise<IssuedCredentials> {
  const { environment, dataFolder, signal } = place;
  const internalSecret = environment.INTERNAL_SECRET ?? randomBytes(32).toString('base64url');
  const maintenance = await openParts('maintenance-worker', place, closers);
  const maintenanceWorker = await startMaintenanceWorker(maintenance);
  closers.add(() => maintenanceWorker.close());

  signal?.throwIfAborted();
  const convert = await openParts('convert-worker', place, closers);
  const convertWorker = await startConvertWorker({
    ...convert,
    engineFolder: engineFolder(environment, 'convert'),
  });
  closers.add(() => convertWorker.close());

  signal?.throwIfAborted();
  const query = await openParts('query-service', place, closers);
  const queryService = await startQueryService({
    ...query,
    internalSecret,
    engineFolder: engineFolder(environment, 'query'),
  });
  closers.add(() => queryService.close());

  signal?.throwIfAborted();
  const door = await openParts('gateway', place, closers);
  measureProcess(door.metrics);
  const gateway = await startGateway({
    ...door,
    version: VERSION,
    metricsPage: joinMetrics([maintenance, convert, query, door].map(({ metrics }) => metrics)),
    internalSecret,
    queryServiceUrl: queryService.url,
  });
  // Together: the gateway passes on how statements end that do not end in time.
  closers.add(async () => void (await Promise.all([gateway.close(), queryService.close()])));
  signal?.throwIfAborted();
  return ensureCredentials(door.catalog, dataFolder, environment.PUBLIC_URL ?? gateway.url);
}

/** What a service works with, its own as in a process of its own: pool, event bus, logger, metrics. */
async function openParts(service: string, place: Place, closers: Closers): Promise<ServiceParts> {
  const { environment, databaseUrl, queueLocation, store, directUploads, logStream } = place;
  const logger = createLogger({ level: environment.LOG_LEVEL, service, stream: logStream });
  const metrics = createMetrics(service);
  const catalog = await openServiceCatalog({ environment, databaseUrl, service, logger, metrics });
  closers.add(() => catalog.close());
  const events = await BullMqEventBus.open({ queueLocation, logger, metrics });
  closers.add(() => events.close());
  const readiness = new Readiness();
  watchDependencies(readiness, { catalog, store, events });
  return {
    ...{ environment, queueLocation, catalog, events, store, logger, metrics, readiness },
    ...(directUploads && { directUploads }),
  };
}
