import { DomainError } from '@millrace/domain';
import { isJobName, JOBS, QUEUE_NAMES, type QueueName } from './job-catalog.js';
import { type AdmittedJob, messageIdOf, toJobMessage } from './job-message.js';
import type { QueueEntry, QueueSender } from './queue-backend.js';
import { queueBackendAt } from './queue-backend-at.js';
import type { QueueLocation } from './queue-location.js';
import type { QueueLog } from './queue-log.js';

/**
 * How long BullMQ remembers a message after its end, in seconds: long enough to look at it, short enough to keep the
 * table small. Nothing depends on it, since ids never repeat.
 */
const KEPT_AFTER_END_S = 60;

export interface JobProducerOptions {
  readonly queueLocation: QueueLocation;
  readonly logger: QueueLog;
}

/** Hands admitted jobs to the queue. Used by the dispatcher alone: everyone else inserts a row. */
export class JobProducer {
  readonly #sender: QueueSender;
  readonly #log: QueueLog;

  private constructor(sender: QueueSender, log: QueueLog) {
    this.#sender = sender;
    this.#log = log;
  }

  /** Throws when the queue's datastore does not answer or `migrateQueue` has not run. */
  static async open({ queueLocation, logger }: JobProducerOptions): Promise<JobProducer> {
    return new JobProducer(await queueBackendAt(queueLocation).openSender(QUEUE_NAMES, logger), logger);
  }

  /**
   * Sends the jobs, one call per queue. Sending an attempt twice is harmless. A job of a kind that this version does
   * not know is left out with a line in the log: the lease of its admission ends and a newer dispatcher takes it.
   *
   * @throws DomainError `service.unavailable` when a queue did not take its jobs; those of others may have been sent
   */
  async send(jobs: readonly AdmittedJob[]): Promise<void> {
    const batches = this.#groupByQueue(jobs);
    const sent = await Promise.allSettled([...batches].map(([queue, entries]) => this.#sender.addBulk(queue, entries)));
    const failed = sent.find((outcome) => outcome.status === 'rejected');
    if (failed) throw new DomainError('service.unavailable', 'The queue does not answer.', { cause: failed.reason });
  }

  /**
   * Which of some admitted jobs no worker will hear of: the queue has lost their message, or delivered it to a worker
   * that could not reach the ledger. Jobs of a kind that this version does not know are none of them.
   *
   * @throws DomainError `service.unavailable` when the queue does not answer
   */
  async findLost<J extends AdmittedJob>(jobs: readonly J[]): Promise<J[]> {
    const queues = Map.groupBy(jobs, ({ kind }) => (isJobName(kind) ? JOBS[kind].queue : undefined));
    const lost: J[] = [];
    for (const [queue, ofQueue] of queues) {
      if (queue === undefined) continue;
      const undeliverable = await this.#findUndeliverable(queue, ofQueue);
      lost.push(...ofQueue.filter((job) => undeliverable.has(messageIdOf(job))));
    }
    return lost;
  }

  async close(): Promise<void> {
    await this.#sender.close();
  }

  async #findUndeliverable(queue: QueueName, jobs: readonly AdmittedJob[]): Promise<ReadonlySet<string>> {
    try {
      return await this.#sender.findUndeliverable(queue, jobs.map(messageIdOf));
    } catch (cause) {
      throw new DomainError('service.unavailable', 'The queue does not answer.', { cause });
    }
  }

  #groupByQueue(jobs: readonly AdmittedJob[]): Map<QueueName, QueueEntry[]> {
    const batches = new Map<QueueName, QueueEntry[]>();
    for (const job of jobs) {
      if (!isJobName(job.kind)) {
        this.#log.error({ kind: job.kind, jobId: job.jobId }, 'an admitted job is of an unknown kind');
        continue;
      }
      const { queue } = JOBS[job.kind];
      batches.set(queue, [...(batches.get(queue) ?? []), toEntry(job)]);
    }
    return batches;
  }
}

/** Retries have one owner, the ledger: BullMQ delivers an attempt and makes none of its own. */
function toEntry(job: AdmittedJob): QueueEntry {
  return {
    name: job.kind,
    data: toJobMessage(job),
    opts: {
      jobId: messageIdOf(job),
      attempts: 1,
      removeOnComplete: { age: KEPT_AFTER_END_S },
      removeOnFail: { age: KEPT_AFTER_END_S },
    },
  };
}
