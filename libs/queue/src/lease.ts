import { errorFields } from '@millrace/telemetry';
import { DomainError, type JobFence, type JobLedger } from '@millrace/domain';
import type { QueueLog } from './queue-log.js';

/** A lease is extended this many times before it would end, so that two lost heartbeats do no harm. */
const HEARTBEATS_PER_LEASE = 3;
/** Progress is written this often, whatever the lease. */
const PROGRESS_EVERY_MS = 1_000;

export interface LeaseOptions {
  readonly ledger: JobLedger;
  readonly fence: JobFence;
  readonly leaseMs: number;
  /** When the ledger was asked for the attempt (ms since 1970): the lease can't have begun earlier. */
  readonly startedAt: number;
  readonly log: QueueLog;
}

/**
 * A running attempt's claim on its job: heartbeats extend it, carry the progress and bring back what the ledger wants.
 * Its signal is aborted when the attempt has to end, whoever says so.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #abort = new AbortController();
  readonly #heartbeatTimer: NodeJS.Timeout;
  #expiryTimer: NodeJS.Timeout;
  #beating = false;
  #stopped = false;
  #lost = false;
  #progress: number | undefined;
  /** Of the last heartbeat that began, in ms since 1970. */
  #beatAt: number;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#beatAt = options.startedAt;
    this.#heartbeatTimer = setInterval(() => void this.beat(), options.leaseMs / HEARTBEATS_PER_LEASE);
    this.#expiryTimer = this.#expireAt(options.startedAt + options.leaseMs);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether the job may belong to another attempt by now: then nothing may be written for it. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Keeps the progress for the next heartbeat, which comes now if the last one is a while ago. */
  noteProgress(fraction: number): void {
    this.#progress = fraction;
    if (Date.now() - this.#beatAt >= PROGRESS_EVERY_MS) void this.beat();
  }

  /** Ends the attempt with a reason; the first one counts. */
  abort(reason: DomainError): void {
    if (!this.#stopped) this.#abort.abort(reason);
  }

  /** Extends the lease now. A heartbeat that fails is logged and made up for by the next, until the lease is over. */
  async beat(): Promise<void> {
    if (this.#beating || this.#stopped || this.#lost) return;
    this.#beating = true;
    try {
      await this.#beatOnce();
    } catch (error) {
      this.#options.log.warn({ ...this.#options.fence, ...errorFields(error) }, 'a heartbeat failed');
    } finally {
      this.#beating = false;
    }
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#heartbeatTimer);
    clearTimeout(this.#expiryTimer);
  }

  async #beatOnce(): Promise<void> {
    const { ledger, fence, leaseMs } = this.#options;
    const askedAt = Date.now();
    this.#beatAt = askedAt;
    const progress = this.#progress;
    const answer = await ledger.heartbeat(fence, { leaseMs, ...(progress !== undefined && { progress }) });
    if (this.#stopped) return;
    switch (answer) {
      case 'lost':
        return this.#lose();
      case 'cancel_requested':
        this.abort(new DomainError('job.cancelled', 'The job was cancelled.'));
        break;
      case 'running':
        break;
    }
    clearTimeout(this.#expiryTimer);
    this.#expiryTimer = this.#expireAt(askedAt + leaseMs);
  }

  #expireAt(at: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#lose();
    }, at - Date.now());
  }

  #lose(): void {
    this.#lost = true;
    this.abort(new DomainError('job.lost', 'The worker lost its claim on the job.'));
  }
}
