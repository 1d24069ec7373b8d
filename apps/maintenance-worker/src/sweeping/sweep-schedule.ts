import type { AttemptEnd, Catalog } from '@millrace/catalog';
import type { Environment } from '@millrace/config';
import { type EventBus, isTerminal, jobLifecycle } from '@millrace/domain';
import type { ResultAnnouncer } from '../results/result-announcer.js';
import type { BlobSweeper } from './blob-sweeper.js';
import type { QueueReconciler } from './queue-reconciler.js';
import type { Sweep } from './sweep.js';

export interface SchedulePart {
  readonly environment: Environment;
  readonly catalog: Catalog;
  readonly events: EventBus;
  readonly blobSweeper: BlobSweeper;
  readonly reconciler: QueueReconciler;
  readonly announcer: ResultAnnouncer;
}

/** Rows of one batch where the caller says how many. */
const BATCH_ROWS = 500;

/** What is kept for hours or days is looked at this much more seldom than what has a lease. */
const SELDOM = 10;

/** Everything that is done at an interval, in one list. */
export function sweepSchedule(parts: SchedulePart): Sweep[] {
  const { environment, catalog, events, blobSweeper, reconciler, announcer } = parts;
  const often = environment.SWEEP_INTERVAL_MS;
  const seldom = often * SELDOM;
  const { FAILED_DATASET_RETENTION_MS, HISTORY_RETENTION_MS } = environment;
  const { blobs, jobs, queryRuns, results, resultLifetimes, uploads, resumableUploads, datasets, idempotencyKeys } =
    catalog;
  /** Tells who waits for a job that the sweeper ended for good. */
  const announceJob = async ({ tenantId, jobId, status }: AttemptEnd): Promise<void> => {
    if (!isTerminal(jobLifecycle, status)) return;
    await events.publish({ type: 'job.ended', tenantId, jobId, status });
    await announcer.announceOfJob({ tenantId, jobId });
  };
  const rows: [string, number, (signal: AbortSignal) => Promise<number>][] = [
    ['blobs.delete', often, (signal) => blobSweeper.sweepBatch(signal)],
    ['blobs.unpin', often, () => blobs.sweepPins().then(() => 0)],
    ['jobs.reconcile', often, () => reconciler.sweepBatch()],
    ['jobs.requeue', often, () => each(jobs.sweepAdmitted(), async () => undefined)],
    ['jobs.lose', often, () => each(jobs.sweepRunning(), announceJob)],
    ['query_runs.lose', often, () => each(queryRuns.sweepLost(), async () => undefined)],
    ['results.lose', often, () => each(results.sweepLost(), (result) => announcer.announce(result))],
    ['results.expire', often, () => resultLifetimes.expireDue()],
    ['uploads.expire', often, () => uploads.expireDue()],
    ['upload_pieces.release', often, () => resumableUploads.releasePieces({ limit: BATCH_ROWS })],
    ['datasets.forget', seldom, () => datasets.sweep({ olderThanMs: FAILED_DATASET_RETENTION_MS, limit: BATCH_ROWS })],
    ['uploads.forget', seldom, () => uploads.purgeEnded({ olderThanMs: HISTORY_RETENTION_MS, limit: BATCH_ROWS })],
    ['query_runs.forget', seldom, () => queryRuns.purgeEnded({ olderThanMs: HISTORY_RETENTION_MS, limit: BATCH_ROWS })],
    ['jobs.forget', seldom, () => jobs.purgeEnded({ olderThanMs: HISTORY_RETENTION_MS, limit: BATCH_ROWS })],
    ['idempotency_keys.forget', seldom, () => idempotencyKeys.purgeExpired({ limit: BATCH_ROWS })],
  ];
  return rows.map(([name, intervalMs, sweepBatch]) => ({ name, intervalMs, sweepBatch }));
}

/** Does something for each of what a batch dealt with. Gives their number. */
async function each<T>(batch: Promise<readonly T[]>, act: (item: T) => Promise<void>): Promise<number> {
  const items = await batch;
  for (const item of items) await act(item);
  return items.length;
}
