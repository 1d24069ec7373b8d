import type { JobRepository } from '@millrace/catalog';
import type { JobProducer } from '@millrace/queue';
import type { Logger } from '@millrace/telemetry';

/** The dispatcher never lets as many jobs wait, so one batch has them all. */
const BATCH_JOBS = 500;

/** What was admitted just now may still be on its way to the queue. Looking too early costs an attempt, nothing else. */
const SENDING_MS = 2_000;

export interface QueueReconcilerParts {
  readonly jobs: Pick<JobRepository, 'findWaiting' | 'requeueLost'>;
  readonly producer: Pick<JobProducer, 'findLost'>;
  /** What the dispatcher admits jobs for. */
  readonly admissionLeaseMs: number;
  readonly logger: Logger;
}

/**
 * Finds what the queue has lost, by asking it for each job that it should know: a queue that was emptied, or a message
 * that came to a worker which could not reach the catalog. Such jobs are queued again, and the dispatcher sends them.
 * Whatever is still on its way carries an old attempt and is dropped, so nothing runs twice.
 */
export class QueueReconciler {
  constructor(private readonly parts: QueueReconcilerParts) {}

  /**
   * @returns how many jobs were put back
   * @throws DomainError `service.unavailable` when the queue does not answer
   */
  async sweepBatch(): Promise<number> {
    const { jobs, producer, admissionLeaseMs, logger } = this.parts;
    const waiting = await jobs.findWaiting({ leaseLeftMaxMs: admissionLeaseMs - SENDING_MS, limit: BATCH_JOBS });
    const { length: count } = await jobs.requeueLost(await producer.findLost(waiting));
    if (count > 0) logger.warn({ count }, 'the queue had lost jobs, which are sent again');
    return count;
  }
}
