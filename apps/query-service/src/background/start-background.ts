import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { BullMqServer, JOBS, type JobCatalog } from '@millrace/queue';
import type { QueryServiceOptions } from '../query-service-options.js';
import type { BackgroundQueries } from './background-queries.js';
import { BackgroundModule } from './background.module.js';

export interface BackgroundServer {
  /** Takes no more jobs, gives the running ones `DRAIN_MS`, and leaves the others to a next attempt. */
  close(): Promise<void>;
}

/**
 * Starts to take the statements that run in the background, beside those that callers wait for.
 *
 * @throws when the queue does not answer
 */
export async function startBackground(
  { environment, queueLocation, catalog, events, logger, metrics }: QueryServiceOptions,
  queries: BackgroundQueries,
  { concurrency }: { readonly concurrency: number },
): Promise<BackgroundServer> {
  const strategy = new BullMqServer({
    queues: [{ name: 'query', concurrency }],
    ledger: catalog.jobs,
    events,
    queueLocation,
    logger,
    metrics,
    drainMs: environment.DRAIN_MS,
    catalog: jobCatalog(environment.LEASE_MS),
  });
  const module = BackgroundModule.with(queries);
  const app = await NestFactory.createMicroservice(module, { strategy, logger: false, abortOnError: false });
  await app.listen();
  return app;
}

function jobCatalog(leaseMs: number): JobCatalog {
  return { ...JOBS, 'query.run': { ...JOBS['query.run'], leaseMs } };
}
