import type { ErrorRecord } from '../domain-error.js';
import type { JobId, TenantId } from '../ids.js';
import type { JobStatus } from '../lifecycle.js';

/**
 * What a worker holds while it works: the job and the number of the attempt it was given. Every write for a job
 * names it, and is refused when another attempt is current.
 */
export interface JobFence {
  readonly tenantId: TenantId;
  readonly jobId: JobId;
  readonly attempt: number;
}

/** The job as a handler gets it: its payload still to be parsed by the job catalog. */
export interface StartedJob {
  readonly kind: string;
  readonly payload: unknown;
  /** Of the span that caused the job, as W3C Trace Context writes it; absent when nothing was traced. */
  readonly traceparent?: string;
}

export type HeartbeatAnswer = 'running' | 'cancel_requested' | 'lost';

/** The truth about jobs, kept in the catalog. The queue only delivers. */
export interface JobLedger {
  /** `admitted → running`; undefined when the attempt is not current any more: then there is nothing to do. */
  start(fence: JobFence, options: { leaseMs: number }): Promise<StartedJob | undefined>;
  /** Extends the lease and notes the progress (0 to 1, when it is known). */
  heartbeat(fence: JobFence, options: { leaseMs: number; progress?: number }): Promise<HeartbeatAnswer>;
  /**
   * `running → succeeded`, for handlers that did not end the job in a transaction of their own; for those that did,
   * and for an attempt that is not current any more, nothing is written. Gives the job's status afterwards.
   */
  succeed(fence: JobFence): Promise<JobStatus>;
  /**
   * Ends the attempt with an error. The ledger decides by the code whether there is a next attempt, and carries out
   * what the end of the job means for the thing it worked on, in the same transaction. Nothing is written for an
   * attempt that is not running or not current any more. Gives the job's status afterwards: `queued` when there will
   * be a next attempt.
   */
  fail(fence: JobFence, error: ErrorRecord): Promise<JobStatus>;
}
