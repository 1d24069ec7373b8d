import {
  DomainError,
  jobLifecycle,
  type ErrorRecord,
  type HeartbeatAnswer,
  type JobFence,
  type JobId,
  type JobLedger,
  type JobStatus,
  type StartedJob,
  type TenantId,
  type UserId,
} from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Database, Transaction } from '../database/database.js';
import { pageOf, type Page, type PageRequest } from '../database/page.js';
import { findRow, fromNow, NOW, rowsOf } from '../database/sql.js';
import { sweep, SWEEP_ROWS_MAX } from '../database/sweep.js';
import { transitionReading } from '../database/transition.js';
import { JobEntity, type Job } from '../schema/job.entity.js';
import {
  admitJobs,
  findQueuePlace,
  isAnyDue,
  type AdmitRequest,
  type AdmittedJob,
  type QueuePlace,
} from './job-admission.js';
import {
  failAttempt,
  isCurrent,
  lockJob,
  LOCKED_JOB_COLUMNS,
  LOST,
  requestCancel,
  requeueJob,
  succeedAttempt,
  type AttemptEnd,
  type LockedJob,
} from './job-attempt.js';
import { findBacklog, type JobBacklog } from './job-backlog.js';
import { findWaiting, requeueAdmission, type WaitingJob, type WaitingJobsRequest } from './job-reconciliation.js';
import { findQueueDepths, type QueueDepth } from './queue-depth.js';
import { insertJob, wakeDispatcher, type JobOwner, type NewJob } from './outbox.js';

export interface JobFilter {
  readonly status?: JobStatus | undefined;
  readonly kind?: string | undefined;
  /** Only the jobs this user caused. */
  readonly userId?: UserId | undefined;
}

/** A job with its place in the queue, while it is queued. */
export type QueuedJob = Job & Partial<QueuePlace>;

/** The truth about jobs. The queue only delivers. */
export class JobRepository implements JobLedger {
  constructor(
    private readonly database: Database,
    private readonly references: BlobReferences,
  ) {}

  /** Inserts a job in the transaction of the change it follows from. */
  insert(transaction: Transaction, owner: JobOwner, job: NewJob): Promise<void> {
    return insertJob(transaction, owner, job);
  }

  async start({ tenantId, jobId: id, attempt }: JobFence, { leaseMs }: { leaseMs: number }) {
    const set = { leaseUntil: fromNow(leaseMs), startedAt: NOW, progress: 0 };
    const moved = { entity: JobEntity, lifecycle: jobLifecycle, where: { tenantId, id, attempt }, set } as const;
    return this.database.run(async (manager): Promise<StartedJob | undefined> => {
      const started = await transitionReading(manager, { ...moved, to: 'running' }, ['kind', 'payload', 'traceparent']);
      if (!started) return undefined;
      const { kind, payload, traceparent } = started;
      return { kind, payload, ...(traceparent !== null && { traceparent }) };
    });
  }

  async heartbeat(
    { tenantId, jobId, attempt }: JobFence,
    { leaseMs, progress }: { leaseMs: number; progress?: number },
  ): Promise<HeartbeatAnswer> {
    const job = await this.database.run((manager) =>
      findRow<{ cancelRequested: boolean }>(
        manager,
        `UPDATE jobs SET lease_until = ${fromNow(leaseMs)()}, progress = coalesce($4, progress)
         WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND status = 'running'
         RETURNING cancel_requested_at IS NOT NULL AS "cancelRequested"`,
        [tenantId, jobId, attempt, progress ?? null],
      ),
    );
    if (!job) return 'lost';
    return job.cancelRequested ? 'cancel_requested' : 'running';
  }

  /** How much work of a kind there is at this moment, over all tenants. */
  backlog(kind: string): Promise<JobBacklog> {
    return this.database.run((manager) => findBacklog(manager, kind));
  }

  /** How much there is to do of each kind at this moment, over all tenants. */
  depths(): Promise<QueueDepth[]> {
    return this.database.run((manager) => findQueueDepths(manager));
  }

  /** @throws DomainError `job.not_found` */
  async succeed(fence: JobFence): Promise<JobStatus> {
    if (await this.database.run((manager) => succeedAttempt(manager, fence))) return 'succeeded';
    // The handler has ended the job in the transaction of its work, or the attempt is not current.
    return (await this.get(fence.tenantId, fence.jobId)).status;
  }

  /** @throws DomainError `job.not_found` */
  fail(fence: JobFence, error: ErrorRecord): Promise<JobStatus> {
    return this.endAttempt(fence, (transaction, job) => failAttempt(transaction, this.references, { job, error }));
  }

  /** @throws DomainError `job.not_found` */
  async get(tenantId: TenantId, id: JobId, filter: { userId?: UserId | undefined } = {}): Promise<QueuedJob> {
    return this.database.run(async (manager) => {
      const job = await manager.getRepository(JobEntity).findOneBy({ tenantId, id });
      if (!job || (filter.userId !== undefined && job.userId !== filter.userId)) throw notFound();
      return { ...job, ...(job.status === 'queued' && (await findQueuePlace(manager, job))) };
    });
  }

  async list(tenantId: TenantId, request: PageRequest<JobId> & JobFilter): Promise<Page<Job>> {
    return this.database.run((manager) => {
      const query = manager.createQueryBuilder(JobEntity, 'row').where('row.tenantId = :tenantId', { tenantId });
      const { status, kind, userId } = request;
      if (status !== undefined) query.andWhere('row.status = :status', { status });
      if (kind !== undefined) query.andWhere('row.kind = :kind', { kind });
      if (userId !== undefined) query.andWhere('row.userId = :userId', { userId });
      return pageOf(query, request);
    });
  }

  /**
   * Asks for the end of a job: one that nobody works on yet ends at once, a running one when its worker notices.
   *
   * @returns the status it has now: `cancelled`, or `running`
   * @throws DomainError `job.not_found`, `job.finished`
   */
  async requestCancel(
    tenantId: TenantId,
    id: JobId,
    filter: { userId?: UserId | undefined } = {},
  ): Promise<AttemptEnd> {
    await this.get(tenantId, id, filter);
    return this.database.transaction(async (transaction) => {
      const job = await lockJob(transaction, tenantId, id);
      if (!job) throw notFound();
      const end = await requestCancel(transaction, this.references, job);
      if (!end) throw new DomainError('job.finished', `The job has ended already: it ${SAID[job.status]}.`);
      return end;
    });
  }

  /** Moves queued jobs of all tenants to `admitted`, fairly; see `admitJobs`. */
  async admit(request: AdmitRequest): Promise<AdmittedJob[]> {
    if (!(await this.database.run((manager) => isAnyDue(manager, request.kinds)))) return [];
    return this.database.transaction((transaction) => admitJobs(transaction, request));
  }

  /** Jobs that the queue should know: admitted a while ago and not started. At most `limit`, the oldest first. */
  findWaiting(request: WaitingJobsRequest): Promise<WaitingJob[]> {
    return this.database.run((manager) => findWaiting(manager, request));
  }

  /**
   * Puts jobs back whose message the queue has lost. That is nobody's failure.
   *
   * @returns those that were put back: not what was started, admitted again or ended meanwhile
   */
  requeueLost(admissions: readonly JobFence[]): Promise<AttemptEnd[]> {
    return sweep(this.database, {
      find: async () => [...admissions],
      end: requeueAdmission,
    });
  }

  /** Puts jobs back that the queue has lost: admitted, but not started within the lease. That is nobody's failure. */
  async sweepAdmitted(): Promise<AttemptEnd[]> {
    return sweep(this.database, {
      find: (manager) => findOverdue(manager, 'admitted'),
      end: async (transaction, { tenantId, id }) => {
        const job = await lockOverdue(transaction, tenantId, id);
        if (job?.status !== 'admitted') return undefined;
        await wakeDispatcher(transaction);
        return requeueJob(transaction, job);
      },
    });
  }

  /** Ends the attempts of workers that went away: a failure, with another attempt if there are any left. */
  async sweepRunning(): Promise<AttemptEnd[]> {
    return sweep(this.database, {
      find: (manager) => findOverdue(manager, 'running'),
      end: async (transaction, { tenantId, id }) => {
        const job = await lockOverdue(transaction, tenantId, id);
        if (job?.status !== 'running') return undefined;
        return failAttempt(transaction, this.references, { job, error: LOST });
      },
    });
  }

  /** Forgets jobs of all tenants that ended long ago. Returns how many. */
  async purgeEnded({ olderThanMs, limit }: { olderThanMs: number; limit: number }): Promise<number> {
    const purged = await this.database.run((manager) =>
      rowsOf(
        manager,
        `DELETE FROM jobs WHERE (tenant_id, id) IN (
           SELECT tenant_id, id FROM jobs WHERE ended_at < ${fromNow(-olderThanMs)()}
           ORDER BY ended_at LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING id`,
        [limit],
      ),
    );
    return purged.length;
  }

  /** Writes nothing for an attempt that is not running or not current; gives the job's status afterwards. */
  private endAttempt(
    fence: JobFence,
    end: (transaction: Transaction, job: LockedJob) => Promise<AttemptEnd>,
  ): Promise<JobStatus> {
    return this.database.transaction(async (transaction) => {
      const job = await lockJob(transaction, fence.tenantId, fence.jobId);
      if (!job) throw notFound();
      if (!isCurrent(job, fence)) return job.status;
      return (await end(transaction, job)).status;
    });
  }
}

const SAID: Readonly<Record<JobStatus, string>> = {
  queued: 'waits',
  admitted: 'waits',
  running: 'runs',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'was cancelled',
};

function notFound(): DomainError {
  return new DomainError('job.not_found', 'There is no job with this id.');
}

function findOverdue(manager: Transaction, status: JobStatus): Promise<Pick<Job, 'tenantId' | 'id'>[]> {
  return rowsOf(
    manager,
    `SELECT tenant_id AS "tenantId", id FROM jobs WHERE status = $1 AND lease_until < now()
     ORDER BY lease_until LIMIT $2`,
    [status, SWEEP_ROWS_MAX],
  );
}

/** Locks a job whose lease is over; undefined when it is not any more, or somebody is just busy with it. */
function lockOverdue(transaction: Transaction, tenantId: TenantId, id: JobId): Promise<LockedJob | undefined> {
  return findRow<LockedJob>(
    transaction,
    `SELECT ${LOCKED_JOB_COLUMNS} FROM jobs WHERE tenant_id = $1 AND id = $2 AND lease_until < now()
     FOR UPDATE SKIP LOCKED`,
    [tenantId, id],
  );
}
