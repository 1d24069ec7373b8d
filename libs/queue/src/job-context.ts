import type { JobFence } from '@millrace/domain';
import { BaseRpcContext } from '@nestjs/microservices';

interface JobControls {
  readonly fence: JobFence;
  readonly signal: AbortSignal;
  readonly progress: (fraction: number) => void;
}

/** The second argument of a job's handler; guards and interceptors get it from `switchToRpc().getContext()`. */
export class JobContext extends BaseRpcContext<[JobFence]> {
  /** Which attempt this is; every write for the job names it. */
  readonly fence: JobFence;
  /**
   * Aborted with a DomainError as its reason: `job.cancelled`, `job.deadline`, `job.lost`. A handler that does not end
   * soon after is left to itself and can write nothing any more.
   */
  readonly signal: AbortSignal;
  /** Notes how far the job is, 0 to 1; it reaches the ledger with the next heartbeat. */
  readonly progress: (fraction: number) => void;

  constructor({ fence, signal, progress }: JobControls) {
    super([fence]);
    this.fence = fence;
    this.signal = signal;
    this.progress = (fraction) => {
      progress(Math.min(1, Math.max(0, fraction)));
    };
  }
}
