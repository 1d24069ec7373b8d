import {
  DomainError,
  ERRORS,
  isTerminal,
  jobLifecycle,
  type ErrorRecord,
  type JobFence,
  type JobId,
  type JobStatus,
  type TenantId,
} from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Transaction } from '../database/database.js';
import { findRow, fromNow, NOW, type SqlExpression } from '../database/sql.js';
import { transition, type Changes } from '../database/transition.js';
import { JobEntity, type Job } from '../schema/job.entity.js';
import { carryOutConsequences, carryOutRetry } from './job-consequences.js';

export const RETRY_BACKOFF_MS = 1_000;
export const RETRY_BACKOFF_MAX_MS = 60_000;

/** A job whose row this transaction has locked. */
export interface LockedJob {
  readonly tenantId: TenantId;
  readonly id: JobId;
  readonly kind: string;
  readonly status: JobStatus;
  readonly attempt: number;
  readonly failures: number;
  readonly attemptsMax: number;
  readonly cancelRequestedAt: Date | null;
}

/** The columns of a `LockedJob`, for statements that lock jobs. */
export const LOCKED_JOB_COLUMNS = `tenant_id AS "tenantId", id, kind, status, attempt, failures,
  attempts_max AS "attemptsMax", cancel_requested_at AS "cancelRequestedAt"`;

export const CANCELLED: ErrorRecord = { code: 'job.cancelled', detail: 'The job was cancelled.' };
export const LOST: ErrorRecord = { code: 'job.lost', detail: 'The worker went away before the job was done.' };

/** How an attempt ended; `queued`: there will be another. */
export interface AttemptEnd {
  readonly tenantId: TenantId;
  readonly jobId: JobId;
  readonly status: JobStatus;
}

/** Locks a job's row. The order of locks is always: job, dataset, version, upload, blobs. */
export function lockJob(transaction: Transaction, tenantId: TenantId, jobId: JobId): Promise<LockedJob | undefined> {
  return findRow<LockedJob>(
    transaction,
    `SELECT ${LOCKED_JOB_COLUMNS} FROM jobs WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
    [tenantId, jobId],
  );
}

/**
 * Locks the job of a fence, so that nothing ends the attempt before this transaction does.
 *
 * @throws DomainError `job.lost` when another attempt is current or the job is not running
 */
export async function lockFence(transaction: Transaction, fence: JobFence): Promise<LockedJob> {
  const job = await lockJob(transaction, fence.tenantId, fence.jobId);
  if (!job || !isCurrent(job, fence)) throw attemptLost();
  return job;
}

/** Whether the attempt of a fence is the one that runs. */
export function isCurrent(job: LockedJob, fence: JobFence): boolean {
  return job.status === 'running' && job.attempt === fence.attempt;
}

export function attemptLost(): DomainError {
  return new DomainError('job.lost', 'This attempt is not the current one of the job any more.');
}

export async function succeedJob(transaction: Transaction, job: LockedJob): Promise<AttemptEnd> {
  return moveJob(transaction, job, { to: 'succeeded', set: SUCCEEDED });
}

/** Ends an attempt well in one statement, without a lock before it. Returns whether it was the one that runs. */
export function succeedAttempt(transaction: Transaction, { tenantId, jobId: id, attempt }: JobFence): Promise<boolean> {
  return transition(transaction, {
    entity: JobEntity,
    lifecycle: jobLifecycle,
    where: { tenantId, id, attempt },
    to: 'succeeded',
    set: SUCCEEDED,
  });
}

/** Ends a job for good at somebody's wish, with what that means for the thing it worked on. */
export async function cancelJob(
  transaction: Transaction,
  references: BlobReferences,
  job: LockedJob,
): Promise<AttemptEnd> {
  await carryOutConsequences(transaction, references, { job, error: CANCELLED });
  return moveJob(transaction, job, { to: 'cancelled', set: { ...ENDED, error: CANCELLED } });
}

/**
 * Ends a running attempt with an error: another attempt later if the error may pass and attempts are left, unless
 * somebody asked for the end of the job.
 */
export async function failAttempt(
  transaction: Transaction,
  references: BlobReferences,
  { job, error }: { job: LockedJob; error: ErrorRecord },
): Promise<AttemptEnd> {
  const failures = job.failures + 1;
  const mayPass = ERRORS[error.code].retryable && failures < job.attemptsMax;
  const unwanted = error.code === 'job.cancelled' || (mayPass && job.cancelRequestedAt !== null);
  if (unwanted) return cancelJob(transaction, references, job);
  if (mayPass) {
    await carryOutRetry(transaction, job);
    const runAfter = fromNow(retryDelayMs(failures));
    return moveJob(transaction, job, { to: 'queued', set: { failures, error, runAfter, leaseUntil: null } });
  }
  await carryOutConsequences(transaction, references, { job, error });
  return moveJob(transaction, job, { to: 'failed', set: { ...ENDED, failures, error } });
}

/** Puts a job back that nobody has begun. */
export function requeueJob(transaction: Transaction, job: LockedJob): Promise<AttemptEnd> {
  return moveJob(transaction, job, { to: 'queued', set: { leaseUntil: null } });
}

/** The pause before the next attempt: doubled with each failure, half of it random so that jobs do not move in step. */
export function retryDelayMs(failures: number, random: () => number = Math.random): number {
  const longest = Math.min(RETRY_BACKOFF_MS * 2 ** (failures - 1), RETRY_BACKOFF_MAX_MS);
  return longest / 2 + (longest / 2) * random();
}

/** Asks for the end of a locked job: at once while nobody works on it, else through the worker's next heartbeat. */
export async function requestCancel(
  transaction: Transaction,
  references: BlobReferences,
  job: LockedJob,
): Promise<AttemptEnd | undefined> {
  if (isTerminal(jobLifecycle, job.status)) return undefined;
  if (job.status !== 'running') return cancelJob(transaction, references, job);
  await transaction.query(
    'UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, now()) WHERE tenant_id = $1 AND id = $2',
    [job.tenantId, job.id],
  );
  return { tenantId: job.tenantId, jobId: job.id, status: job.status };
}

const ENDED = { endedAt: NOW satisfies SqlExpression, leaseUntil: null };
const SUCCEEDED = { ...ENDED, error: null, progress: 1 };

async function moveJob(
  transaction: Transaction,
  { tenantId, id, attempt }: LockedJob,
  { to, set }: { to: JobStatus; set: Changes<Omit<Job, 'status'>> },
): Promise<AttemptEnd> {
  const where = { tenantId, id, attempt };
  const moved = await transition(transaction, { entity: JobEntity, lifecycle: jobLifecycle, where, to, set });
  if (!moved) throw attemptLost();
  return { tenantId, jobId: id, status: to };
}
