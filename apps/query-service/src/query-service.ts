import { mkdir, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ContextAuthenticator } from '@millrace/auth';
import type { Environment } from '@millrace/config';
import { DomainError } from '@millrace/domain';
import { EnginePool, type EnginePoolOptions, measureEngine } from '@millrace/engine';
import { closeHttpServer, createHttpServer } from '@millrace/http';
import { ReadCache } from '@millrace/object-store';
import { ANALYSES_FOLDER } from './analyses/uploaded-files.js';
import { startBackground } from './background/start-background.js';
import { downloadPace } from './downloads/download-pace.js';
import { engineChildrenKeptMax, engineChildrenMax } from './engine-children-max.js';
import { machineShare } from './machine-share.js';
import { QueryServiceModule } from './query-service.module.js';
import type { QueryServiceOptions } from './query-service-options.js';
import { createServices, type Services } from './services.js';

export interface RunningService {
  /** Where it listens, for example `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Takes no more work, lets what runs end for `DRAIN_MS`, then ends it. What the service was given stays open. */
  close(): Promise<void>;
}

/** Connections that still stand when all work has ended are cut off after this. */
const CONNECTIONS_GRACE_MS = 1_000;

/** Starts the service that runs statements and reads tables; only the gateway calls it. */
export async function startQueryService(options: QueryServiceOptions): Promise<RunningService> {
  const local = await openLocalParts(options);
  const services = createServices({ ...options, ...local });
  try {
    return await serve(options, services, local);
  } catch (error) {
    await closeLocalParts(local);
    throw error;
  }
}

/** Of the engine processes for queries, so many more for those in the background. */
const BACKGROUND_SHARE = 0.25;

interface LocalParts {
  readonly engine: EnginePool;
  /** A pool of its own: what nobody waits for must not keep those waiting who do. */
  readonly background: EnginePool;
  /** A pool of its own: a client that reads slowly must not keep statements waiting. */
  readonly exporter: EnginePool;
  readonly cache: ReadCache;
}

async function openLocalParts(options: QueryServiceOptions): Promise<LocalParts> {
  const { environment, store, engineFolder, metrics, logger } = options;
  // Engine processes may have no rights of ours: they pass through, to folders of theirs.
  await mkdir(engineFolder, { recursive: true, mode: 0o711 });
  // What a process left that was killed.
  await rm(join(engineFolder, ANALYSES_FOLDER), { recursive: true, force: true });
  const cache = await ReadCache.open({
    store,
    root: join(engineFolder, 'cache'),
    metrics,
    logger,
    options: { bytesMax: environment.CACHE_BYTES_MAX },
  });
  const { QUERY_CHILDREN_KEPT_MAX, QUERY_MEMORY_BYTES } = environment;
  const engine = openPool(options, {
    name: 'processes',
    childrenMax: childrenMax(environment),
    childrenKeptMax: QUERY_CHILDREN_KEPT_MAX ?? engineChildrenKeptMax(machineShare(), QUERY_MEMORY_BYTES),
  });
  const backgroundMax = backgroundConcurrency(environment);
  const background = openPool(options, {
    name: 'background',
    childrenMax: backgroundMax,
    // Jobs are admitted fairly. One that waited here would keep its place in the service from the next tenant's job.
    childrenPerTenantMax: backgroundMax,
    parseChildrenMax: 0,
  });
  const exporter = openPool(options, {
    name: 'downloads',
    childrenMax: environment.DOWNLOAD_CHILDREN_MAX,
    parseChildrenMax: 0,
    exportPace: downloadPace(environment),
  });
  try {
    await Promise.all([engine.ready(), background.ready(), exporter.ready()]);
    measureEngine(options.metrics, { queries: engine, background, downloads: exporter });
    return { engine, background, exporter, cache };
  } catch (error) {
    await closeLocalParts({ engine, background, exporter, cache });
    throw error;
  }
}

function childrenMax({ QUERY_CHILDREN_MAX, QUERY_MEMORY_BYTES }: Environment): number {
  return QUERY_CHILDREN_MAX ?? engineChildrenMax(machineShare(), QUERY_MEMORY_BYTES);
}

function backgroundConcurrency(environment: Environment): number {
  const share = Math.ceil(childrenMax(environment) * BACKGROUND_SHARE);
  return environment.QUERY_BACKGROUND_CONCURRENCY ?? share;
}

type PoolSizes = Pick<EnginePoolOptions, 'childrenMax'> &
  Partial<Pick<EnginePoolOptions, 'childrenKeptMax' | 'childrenPerTenantMax' | 'parseChildrenMax' | 'exportPace'>>;

function openPool(
  { environment, logger, engineFolder }: QueryServiceOptions,
  { name, ...sizes }: { readonly name: string } & PoolSizes,
): EnginePool {
  return new EnginePool({
    ...sizes,
    workDir: join(engineFolder, name),
    memoryBytes: environment.QUERY_MEMORY_BYTES,
    threads: environment.QUERY_THREADS,
    spillBytesMax: environment.QUERY_SPILL_BYTES_MAX,
    isolation: environment.ENGINE_ISOLATION,
    ownUsers: { first: environment.ENGINE_UID_FIRST, count: environment.ENGINE_UID_COUNT },
    logger,
  });
}

async function closeLocalParts({ engine, background, exporter, cache }: LocalParts): Promise<void> {
  await Promise.all([engine.close(), background.close(), exporter.close()]);
  await cache.close();
}

async function serve(
  options: QueryServiceOptions,
  services: Services,
  localParts: LocalParts,
): Promise<RunningService> {
  const { logger, metrics, readiness, internalSecret, host = '127.0.0.1', port = 0 } = options;
  const app = await createHttpServer({
    module: QueryServiceModule.with(services),
    authenticator: new ContextAuthenticator(internalSecret),
    logger,
    metrics,
    readiness,
  });
  const stop = await keepRunning(options, services).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  await app.listen(port, host).catch(async (error: unknown) => {
    await Promise.allSettled([stop(), app.close()]);
    throw error;
  });
  const close = async (): Promise<void> => {
    await stop();
    await closeHttpServer(app, CONNECTIONS_GRACE_MS);
    await closeLocalParts(localParts);
  };
  let closing: Promise<void> | undefined;
  const { port: boundPort } = app.getHttpServer().address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`,
    close: () => (closing ??= close()),
  };
}

/** Keeps leases alive and listens for cancellations; what it returns drains the service and ends that. */
async function keepRunning(
  options: QueryServiceOptions,
  { running, work, background }: Services,
): Promise<() => Promise<void>> {
  const { environment, events } = options;
  const unsubscribe = await events.subscribe('query.cancel_requested', ({ tenantId, queryRunId }) => {
    running.cancel(tenantId, queryRunId);
  });
  running.startBeating();
  const concurrency = backgroundConcurrency(environment);
  const jobs = await startBackground(options, background, { concurrency }).catch((error: unknown) => {
    unsubscribe();
    running.stopBeating();
    throw error;
  });
  work.signal.addEventListener('abort', () => {
    running.abortAll(new DomainError('query.lost', 'The service was stopped while the query ran. Try again.'));
  });
  return async () => {
    await Promise.all([work.close({ drainMs: environment.DRAIN_MS }), jobs.close()]);
    unsubscribe();
    running.stopBeating();
  };
}
