import {
  type ErrorRecord,
  type HeartbeatAnswer,
  isTerminal,
  jobLifecycle,
  type JobFence,
  type JobLedger,
  type JobStatus,
  type StartedJob,
} from '@millrace/domain';
import type { ResultAnnouncer } from './result-announcer.js';

/**
 * The ledger as this service's jobs see it: when one has failed for good, whoever waits for its result is told. Only
 * the ledger knows at that moment whether there will be another attempt; the handler that failed does not.
 */
export class AnnouncingLedger implements JobLedger {
  constructor(
    private readonly ledger: JobLedger,
    private readonly announcer: ResultAnnouncer,
  ) {}

  start(fence: JobFence, options: { leaseMs: number }): Promise<StartedJob | undefined> {
    return this.ledger.start(fence, options);
  }

  heartbeat(fence: JobFence, options: { leaseMs: number; progress?: number }): Promise<HeartbeatAnswer> {
    return this.ledger.heartbeat(fence, options);
  }

  succeed(fence: JobFence): Promise<JobStatus> {
    return this.ledger.succeed(fence);
  }

  async fail(fence: JobFence, error: ErrorRecord): Promise<JobStatus> {
    const status = await this.ledger.fail(fence, error);
    if (isTerminal(jobLifecycle, status)) await this.announcer.announceOfJob(fence);
    return status;
  }
}
