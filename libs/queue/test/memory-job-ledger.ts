import {
  type ErrorRecord,
  ERRORS,
  type HeartbeatAnswer,
  type JobFence,
  type JobId,
  type JobLedger,
  type JobStatus,
  newId,
  type StartedJob,
} from '@millrace/domain';

interface Row extends StartedJob {
  readonly fence: JobFence;
  readonly attemptsMax: number;
  readonly status: JobStatus;
  readonly failures: number;
  readonly cancelRequested: boolean;
  readonly progress?: number;
  readonly error?: ErrorRecord;
}

interface NewJob extends StartedJob {
  readonly attemptsMax?: number;
}

/** A ledger without a database, for tests of what lies between the queue and the ledger. */
export class MemoryJobLedger implements JobLedger {
  /** Makes every call fail, as when Postgres is away. */
  unreachable = false;
  heartbeats = 0;
  readonly #rows = new Map<JobId, Row>();

  /** A new job, admitted for the first time. */
  admit({ attemptsMax = 3, ...job }: NewJob): JobFence {
    const fence = { tenantId: newId('tenant'), jobId: newId('job'), attempt: 1 };
    this.#save({ ...job, attemptsMax, fence, status: 'admitted', failures: 0, cancelRequested: false });
    return fence;
  }

  /** Admits the job again, whatever its current attempt does. */
  readmit({ jobId }: JobFence): JobFence {
    const row = this.get(jobId);
    const fence = { ...row.fence, attempt: row.fence.attempt + 1 };
    this.#save({ ...row, fence, status: 'admitted' });
    return fence;
  }

  requestCancel({ jobId }: JobFence): void {
    this.#save({ ...this.get(jobId), cancelRequested: true });
  }

  get(jobId: JobId): Row {
    const row = this.#rows.get(jobId);
    if (!row) throw new Error(`There is no job ${jobId}`);
    return row;
  }

  async start(fence: JobFence): Promise<StartedJob | undefined> {
    const row = await this.#find(fence, 'admitted');
    if (!row) return undefined;
    this.#save({ ...row, status: 'running' });
    const { kind, payload, traceparent } = row;
    return { kind, payload, ...(traceparent !== undefined && { traceparent }) };
  }

  async heartbeat(fence: JobFence, { progress }: { leaseMs: number; progress?: number }): Promise<HeartbeatAnswer> {
    this.heartbeats += 1;
    const row = await this.#find(fence, 'running');
    if (!row) return 'lost';
    this.#save({ ...row, ...(progress !== undefined && { progress }) });
    return row.cancelRequested ? 'cancel_requested' : 'running';
  }

  async succeed(fence: JobFence): Promise<JobStatus> {
    const row = await this.#find(fence, 'running');
    if (row) this.#save({ ...row, status: 'succeeded' });
    return this.get(fence.jobId).status;
  }

  async fail(fence: JobFence, error: ErrorRecord): Promise<JobStatus> {
    const row = await this.#find(fence, 'running');
    if (row) this.#save({ ...row, error, failures: row.failures + 1, status: statusAfter(row, error) });
    return this.get(fence.jobId).status;
  }

  #save(row: Row): void {
    this.#rows.set(row.fence.jobId, row);
  }

  async #find(fence: JobFence, status: JobStatus): Promise<Row | undefined> {
    if (this.unreachable) throw new Error('The ledger does not answer');
    const row = this.#rows.get(fence.jobId);
    if (!row || row.status !== status || row.fence.attempt !== fence.attempt) return undefined;
    return row.fence.tenantId === fence.tenantId ? row : undefined;
  }
}

function statusAfter({ failures, attemptsMax }: Row, { code }: ErrorRecord): JobStatus {
  if (code === 'job.cancelled') return 'cancelled';
  return ERRORS[code].retryable && failures + 1 < attemptsMax ? 'queued' : 'failed';
}
