import type { JobRepository } from '@millrace/catalog';
import { type AdmittedJob, JOBS, type JobProducer, QUEUE_NAMES, type QueueName } from '@millrace/queue';
import { errorFields, type Logger } from '@millrace/telemetry';
import type { MaintenanceMetrics } from '../maintenance-metrics.js';
import { endsWithin, jittered, pause } from '../timing.js';
import { Bell } from './bell.js';

export interface DispatcherOptions {
  readonly jobs: Pick<JobRepository, 'admit'>;
  readonly producer: Pick<JobProducer, 'send'>;
  readonly metrics: MaintenanceMetrics;
  readonly logger: Logger;
  /** How long the queue may take until a worker starts a job. */
  readonly admissionLeaseMs: number;
}

/**
 * Jobs that wait in each queue at most: enough to keep workers busy until the next look, few enough to stay fair. A
 * statement may take half an hour, and whoever is admitted first has no turn to give back.
 */
const ADMITTED_MAX: Readonly<Record<QueueName, number>> = { convert: 16, query: 4, maintenance: 128 };

/** Batches of one queue before the other queue has its turn again. */
const BATCHES_MAX = 20;

/** Wake-ups are hints that may be lost, and nobody wakes for a job whose pause is over: this often it looks itself. */
const LOOK_INTERVAL_MS = 1_000;
/** After jobs were admitted: workers may have made room for more, and nobody tells when a job starts. */
const LOOK_SOON_MS = 100;
/** Rest between two rounds, in which wake-ups add up to one: many jobs of a moment cost as much as one. */
const ROUND_GAP_MS = 50;
const BACKOFF_MS = 250;
const BACKOFF_MAX_MS = 10_000;
const CLOSE_MS = 10_000;

interface Batch {
  readonly jobs: readonly AdmittedJob[];
  /** When the admissions end, in ms since 1970; after that the jobs belong to the sweeper. */
  readonly untilMs: number;
}

/**
 * Moves jobs from the catalog to the queue. Several instances may run side by side: the catalog lets one admit at a
 * time, and no job is admitted twice.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #closing = new AbortController();
  readonly #bell = new Bell();
  /** Admitted, but the queue did not say that it has them. Sending them twice is harmless. */
  #unsent: Batch | undefined;
  #failures = 0;
  #admittedSome = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Says that there may be something to do. */
  wake(): void {
    this.#bell.ring();
  }

  /** Ends after the batch that is on its way. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (!(await endsWithin(this.#running, CLOSE_MS)))
      this.#options.logger.error({}, 'the dispatcher did not end in time');
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#bell.silence();
      await this.#round();
      await this.#rest(signal);
    }
  }

  /** Between rounds: a short rest that nothing ends, so that wake-ups during an outage do no harm, then a longer one. */
  async #rest(signal: AbortSignal): Promise<void> {
    const isFailing = this.#failures > 0;
    await pause(isFailing ? BACKOFF_MS : ROUND_GAP_MS, signal);
    await this.#bell.wait(jittered(isFailing ? this.#backoffMs() : this.#lookMs()), signal);
  }

  #backoffMs(): number {
    return Math.min(BACKOFF_MS * 2 ** (this.#failures - 1), BACKOFF_MAX_MS);
  }

  #lookMs(): number {
    return this.#admittedSome ? LOOK_SOON_MS : LOOK_INTERVAL_MS;
  }

  async #round(): Promise<void> {
    const { logger } = this.#options;
    this.#admittedSome = false;
    try {
      await this.#sendUnsent();
      for (const queue of QUEUE_NAMES) await this.#dispatch(queue);
      if (this.#failures > 0) logger.info({ failures: this.#failures }, 'jobs are dispatched again');
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      logger.warn({ failures: this.#failures, ...errorFields(error) }, 'jobs could not be dispatched');
    }
  }

  async #sendUnsent(): Promise<void> {
    if (this.#unsent && Date.now() < this.#unsent.untilMs) await this.#send(this.#unsent);
    this.#unsent = undefined;
  }

  async #dispatch(queue: QueueName): Promise<void> {
    const { jobs, admissionLeaseMs: leaseMs } = this.#options;
    const kinds = Object.entries(JOBS).flatMap(([kind, spec]) => (spec.queue === queue ? [kind] : []));
    for (let batches = 0; batches < BATCHES_MAX && !this.#closing.signal.aborted; batches += 1) {
      const untilMs = Date.now() + leaseMs;
      const admitted = await jobs.admit({ kinds, admittedMax: ADMITTED_MAX[queue], leaseMs });
      if (admitted.length === 0) return;
      this.#admittedSome = true;
      await this.#send({ jobs: admitted, untilMs });
    }
    this.wake();
  }

  async #send(batch: Batch): Promise<void> {
    this.#unsent = batch;
    await this.#options.producer.send(batch.jobs);
    this.#unsent = undefined;
    for (const { kind } of batch.jobs) this.#options.metrics.jobsAdmitted.inc({ kind });
  }
}
