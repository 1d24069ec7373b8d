import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { Catalog, JobSignal } from '@millrace/catalog';
import type { Environment } from '@millrace/config';
import type { EventBus, ObjectStore } from '@millrace/domain';
import { BullMqServer, type JobCatalog, JobProducer, JOBS, type QueueLocation } from '@millrace/queue';
import type { Logger, Registry } from '@millrace/telemetry';
import { Dispatcher } from './dispatching/dispatcher.js';
import { MaintenanceMetrics } from './maintenance-metrics.js';
import { MaintenanceWorkerModule } from './maintenance-worker.module.js';
import { AnnouncingLedger } from './results/announcing-ledger.js';
import { ResultAnnouncer } from './results/result-announcer.js';
import { ResultPersister } from './results/result-persister.js';
import { BlobSweeper } from './sweeping/blob-sweeper.js';
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
  /** Ends the sweepers and the dispatcher after what is under way, then gives running jobs `DRAIN_MS`. */
  close(): Promise<void>;
}

interface Parts extends MaintenanceWorkerOptions {
  readonly observed: MaintenanceMetrics;
  readonly announcer: ResultAnnouncer;
}

/** Results that one instance verifies at once: each reads a file from end to end. */
const PERSIST_CONCURRENCY = 4;

/**
 * A job in the queue has this many leases until a worker must have started it. It may wait behind long ones, and being
 * admitted anew does nothing for it; only a queue that has lost everything makes people wait for this.
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
  const parts = {
    ...options,
    observed: new MaintenanceMetrics(options.metrics),
    announcer: new ResultAnnouncer(options),
  };
  const server = await startServer(parts);
  try {
    const dispatching = await startDispatching(parts);
    const sweepers = startSweepers(parts);
    return {
      close: async () => {
        const swept = Promise.all(sweepers.map((sweeper) => sweeper.close()));
        if (!(await endsWithin(swept, SWEEPERS_CLOSE_MS))) options.logger.error({}, 'a sweep did not end in time');
        await dispatching.close();
        await server.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function startServer(parts: Parts): Promise<{ close(): Promise<void> }> {
  const { environment, queueLocation, catalog, events, logger, announcer } = parts;
  const strategy = new BullMqServer({
    queues: [{ name: 'maintenance', concurrency: PERSIST_CONCURRENCY }],
    ledger: new AnnouncingLedger(catalog.jobs, announcer),
    events,
    queueLocation,
    logger,
    drainMs: environment.DRAIN_MS,
    catalog: jobCatalog(environment),
  });
  const module = MaintenanceWorkerModule.with(new ResultPersister(parts));
  const app = await NestFactory.createMicroservice(module, { strategy, logger: false, abortOnError: false });
  await app.listen();
  return app;
}

async function startDispatching(parts: Parts): Promise<{ close(): Promise<void> }> {
  const { environment, queueLocation, catalog, events, logger, observed: metrics } = parts;
  const producer = await JobProducer.open({ queueLocation, logger });
  const admissionLeaseMs = ADMISSION_LEASES * environment.LEASE_MS;
  const dispatcher = new Dispatcher({ jobs: catalog.jobs, producer, metrics, logger, admissionLeaseMs });
  const wake = (): void => dispatcher.wake();
  const closers: (() => unknown)[] = [() => producer.close()];
  const close = async (): Promise<void> => {
    for (const each of closers.toReversed()) await each();
  };
  try {
    // A conversion that ends makes room for the next one of its tenant.
    closers.push(await events.subscribe('job.ended', wake));
    const signal: JobSignal = await catalog.listenForJobs(wake);
    closers.push(() => dispatcher.close());
    closers.push(() => signal.close());
  } catch (error) {
    await close();
    throw error;
  }
  dispatcher.start();
  return { close };
}

function startSweepers(parts: Parts): Sweeper[] {
  const { catalog, store, observed: metrics, logger } = parts;
  const blobSweeper = new BlobSweeper({ blobs: catalog.blobs, store, metrics });
  const sweepers = sweepSchedule({ ...parts, blobSweeper }).map((sweep) => new Sweeper(sweep, { metrics, logger }));
  for (const sweeper of sweepers) sweeper.start();
  return sweepers;
}

function jobCatalog({ LEASE_MS }: Environment): JobCatalog {
  return { ...JOBS, 'result.persist': { ...JOBS['result.persist'], leaseMs: LEASE_MS } };
}
