import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { Catalog } from '@millrace/catalog';
import type { Environment } from '@millrace/config';
import type { EventBus, ObjectStore } from '@millrace/domain';
import { BullMqServer, type JobCatalog, JobProducer, JOBS, type QueueLocation } from '@millrace/queue';
import { Closers } from '@millrace/runtime';
import type { Logger, Registry } from '@millrace/telemetry';
import { Dispatcher } from './dispatching/dispatcher.js';
import { MaintenanceMetrics } from './maintenance-metrics.js';
import { MaintenanceWorkerModule } from './maintenance-worker.module.js';
import { measureQueue } from './measure-queue.js';
import { AnnouncingLedger } from './results/announcing-ledger.js';
import { ResultAnnouncer } from './results/result-announcer.js';
import { ResultPersister } from './results/result-persister.js';
import { BlobSweeper } from './sweeping/blob-sweeper.js';
import { QueueReconciler } from './sweeping/queue-reconciler.js';
import { Sweeper } from './sweeping/sweeper.js';
import { sweepSchedule } from './sweeping/sweep-schedule.js';
import { endsWithin } from './timing.js';

export interface MaintenanceWorkerOptions {
  readonly environment: Environment;
  readonly queueLocation: QueueLocation;
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly events: EventBus;
  readonly logger: Logger;
  readonly metrics: Registry;
}

export interface MaintenanceWorker {
  /** Takes no more jobs and gives running ones `DRAIN_MS`; the sweepers and the dispatcher end after what is under way. */
  close(): Promise<void>;
}

interface Parts extends MaintenanceWorkerOptions {
  readonly producer: JobProducer;
  readonly admissionLeaseMs: number;
  readonly observed: MaintenanceMetrics;
  readonly announcer: ResultAnnouncer;
}

/** Results that one instance verifies at once: each reads a file from end to end. */
const PERSIST_CONCURRENCY = 4;

/**
 * A job in the queue has this many leases until a worker must have started it. It may wait behind long ones, and being
 * admitted anew does nothing for it. What the queue has lost is found much sooner, by looking.
 */
const ADMISSION_LEASES = 10;

/** Longer than one batch of any sweeper may take. */
const SWEEPERS_CLOSE_MS = 20_000;

/**
 * Starts the service that dispatches jobs, verifies results, deletes what nobody refers to and ends what has outlived
 * its lease. Any number of instances may run side by side.
 *
 * @throws when Postgres or the queue does not answer
 */
export async function startMaintenanceWorker(options: MaintenanceWorkerOptions): Promise<MaintenanceWorker> {
  measureQueue(options.metrics, options.catalog.jobs);
  const producer = await JobProducer.open(options);
  const working: (() => Promise<void>)[] = [];
  const closers = new Closers();
  closers.add(() => producer.close());
  closers.add(async () => void (await Promise.all(working.map((end) => end()))));
  const parts = {
    ...options,
    producer,
    admissionLeaseMs: ADMISSION_LEASES * options.environment.LEASE_MS,
    observed: new MaintenanceMetrics(options.metrics),
    announcer: new ResultAnnouncer(options),
  };
  try {
    const server = await startServer(parts);
    working.push(() => server.close());
    const dispatching = await startDispatching(parts);
    working.push(() => dispatching.close());
    const sweepers = startSweepers(parts);
    working.push(() => closeSweepers(sweepers, options.logger));
    return { close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll().catch(() => undefined);
    throw error;
  }
}

async function closeSweepers(sweepers: readonly Sweeper[], logger: Logger): Promise<void> {
  const swept = Promise.all(sweepers.map((sweeper) => sweeper.close()));
  if (!(await endsWithin(swept, SWEEPERS_CLOSE_MS))) logger.error({}, 'a sweep did not end in time');
}

async function startServer(parts: Parts): Promise<{ close(): Promise<void> }> {
  const { environment, queueLocation, catalog, events, logger, metrics, announcer } = parts;
  const strategy = new BullMqServer({
    queues: [{ name: 'maintenance', concurrency: PERSIST_CONCURRENCY }],
    ledger: new AnnouncingLedger(catalog.jobs, announcer),
    events,
    queueLocation,
    logger,
    metrics,
    drainMs: environment.DRAIN_MS,
    catalog: jobCatalog(environment),
  });
  const module = MaintenanceWorkerModule.with(new ResultPersister(parts));
  const app = await NestFactory.createMicroservice(module, { strategy, logger: false, abortOnError: false });
  await app.listen();
  return app;
}

async function startDispatching(parts: Parts): Promise<{ close(): Promise<void> }> {
  const { producer, admissionLeaseMs, catalog, events, logger, observed: metrics } = parts;
  const dispatcher = new Dispatcher({ jobs: catalog.jobs, producer, metrics, logger, admissionLeaseMs });
  const wake = (): void => dispatcher.wake();
  // A conversion that ends makes room for the next one of its tenant.
  const unsubscribe = await events.subscribe('job.ended', wake);
  const signal = await catalog.listenForJobs(wake);
  dispatcher.start();
  return {
    close: async () => {
      unsubscribe();
      await signal.close();
      await dispatcher.close();
    },
  };
}

function startSweepers(parts: Parts): Sweeper[] {
  const { catalog, store, producer, admissionLeaseMs, observed: metrics, logger } = parts;
  const reconciler = new QueueReconciler({ jobs: catalog.jobs, producer, admissionLeaseMs, logger });
  const blobSweeper = new BlobSweeper({ blobs: catalog.blobs, store, metrics });
  const sweepers = sweepSchedule({ ...parts, blobSweeper, reconciler }).map(
    (sweep) => new Sweeper(sweep, { metrics, logger }),
  );
  for (const sweeper of sweepers) sweeper.start();
  return sweepers;
}

function jobCatalog({ LEASE_MS }: Environment): JobCatalog {
  return { ...JOBS, 'result.persist': { ...JOBS['result.persist'], leaseMs: LEASE_MS } };
}
