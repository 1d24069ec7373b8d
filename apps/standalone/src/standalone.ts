import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Catalog } from '@millrace/catalog';
import { LocalPostgres } from '@millrace/catalog/local-postgres';
import type { Environment } from '@millrace/config';
import { startConvertWorker } from '@millrace/convert-worker';
import type { ObjectStore } from '@millrace/domain';
import { startGateway } from '@millrace/gateway';
import { startMaintenanceWorker } from '@millrace/maintenance-worker';
import { FolderObjectStore } from '@millrace/object-store';
import { startQueryService } from '@millrace/query-service';
import { BullMqEventBus, migrateQueue } from '@millrace/queue';
import { createLogger, createMetrics, type DestinationStream } from '@millrace/telemetry';
import { Closers } from './closers.js';
import { ensureCredentials, type IssuedCredentials } from './credentials.js';
import { FolderLock } from './folder-lock.js';
import { VERSION } from './version.js';

export interface StandaloneOptions {
  readonly environment: Environment;
  readonly logStream: DestinationStream;
  /** Told of each step that takes a moment. */
  readonly onStep?: (step: string) => void;
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
    await closers.closeAll();
    throw error;
  }
}

async function startAll(options: StandaloneOptions, closers: Closers): Promise<IssuedCredentials> {
  const { environment, onStep } = options;
  const dataFolder = resolve(environment.DATA_DIR);
  // Others may pass through, to folders of theirs: Postgres and the engine run as users without rights.
  await mkdir(dataFolder, { recursive: true, mode: 0o711 });
  const lock = await FolderLock.take(dataFolder);
  closers.add(() => lock.release());
  onStep?.('Starting Postgres');
  const databaseUrl = environment.DATABASE_URL ?? (await startPostgres(dataFolder, closers));
  await migrateQueue(databaseUrl);
  const folderStore = new FolderObjectStore(join(dataFolder, 'objects'));
  await folderStore.open();
  const store = options.wrapStore?.(folderStore) ?? folderStore;
  onStep?.('Starting the services');
  return startServices({ ...options, dataFolder, databaseUrl, store }, closers);
}

async function startPostgres(dataFolder: string, closers: Closers): Promise<string> {
  const postgres = await LocalPostgres.start({ folder: join(dataFolder, 'postgres') });
  closers.add(() => postgres.stop());
  return postgres.ensureDatabase('millrace');
}

interface Place extends StandaloneOptions {
  readonly dataFolder: string;
  readonly databaseUrl: string;
  readonly store: ObjectStore;
}

/** Whoever is asked stops last: services are closed in the reverse order of this start. */
async function startServices(place: Place, closers: Closers): Promise<IssuedCredentials> {
  const { environment, dataFolder } = place;
  const internalSecret = environment.INTERNAL_SECRET ?? randomBytes(32).toString('base64url');
  const maintenance = await openParts('maintenance-worker', place, closers);
  await maintenance.catalog.migrate();
  const { close: closeMaintenance } = await startMaintenanceWorker(maintenance);
  closers.add(closeMaintenance);

  const convert = await openParts('convert-worker', place, closers);
  const { close: closeConvert } = await startConvertWorker({
    ...convert,
    engineFolder: join(dataFolder, 'engine', 'convert'),
  });
  closers.add(closeConvert);

  const query = await openParts('query-service', place, closers);
  const queryService = await startQueryService({
    ...query,
    internalSecret,
    engineFolder: join(dataFolder, 'engine', 'query'),
  });
  closers.add(() => queryService.close());

  const door = await openParts('gateway', place, closers);
  const gateway = await startGateway({ ...door, version: VERSION, internalSecret, queryServiceUrl: queryService.url });
  closers.add(() => gateway.close());
  return ensureCredentials(door.catalog, dataFolder, environment.PUBLIC_URL ?? gateway.url);
}

/** What a service works with, its own as in a process of its own: pool, event bus, logger, metrics. */
async function openParts(service: string, { environment, databaseUrl, store, logStream }: Place, closers: Closers) {
  const logger = createLogger({ level: environment.LOG_LEVEL, service, stream: logStream });
  const catalog = await Catalog.open({
    databaseUrl,
    poolMax: environment.DATABASE_POOL_MAX,
    applicationName: `millrace-${service}`,
    blobGraceMs: environment.DELETION_GRACE_MS,
    onError: (error) => logger.warn({ err: error }, 'a database connection broke'),
  });
  closers.add(() => catalog.close());
  const events = await BullMqEventBus.open({ databaseUrl, logger });
  closers.add(() => events.close());
  return { environment, databaseUrl, catalog, events, store, logger, metrics: createMetrics(service) };
}
