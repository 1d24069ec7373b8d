import type { JobFence } from '@millrace/domain';
import type { Transaction } from '../database/database.js';
import { fromNow, rowsOf } from '../database/sql.js';
import { lockJob, requeueJob, type AttemptEnd } from './job-attempt.js';
import { wakeDispatcher } from './outbox.js';

/** A job that was handed to the queue, and that no worker has started yet. */
export interface WaitingJob extends JobFence {
  readonly kind: string;
}

export interface WaitingJobsRequest {
  /** Only jobs whose admission ends within this time: those that were admitted a while ago. */
  readonly leaseLeftMaxMs: number;
  readonly limit: number;
}

/** Admitted jobs of all tenants, those that have waited longest first. */
export function findWaiting(
  manager: Transaction,
  { leaseLeftMaxMs, limit }: WaitingJobsRequest,
): Promise<WaitingJob[]> {
  return rowsOf<WaitingJob>(
    manager,
    `SELECT tenant_id AS "tenantId", id AS "jobId", attempt, kind FROM jobs
     WHERE status = 'admitted' AND lease_until < ${fromNow(leaseLeftMaxMs)()} ORDER BY lease_until LIMIT $1`,
    [limit],
  );
}

/** Puts a job back; undefined when this admission is not the current one any more, or was started meanwhile. */
export async function requeueAdmission(transaction: Transaction, fence: JobFence): Promise<AttemptEnd | undefined> {
  const job = await lockJob(transaction, fence.tenantId, fence.jobId);
  if (job?.status !== 'admitted' || job.attempt !== fence.attempt) return undefined;
  await wakeDispatcher(transaction);
  return requeueJob(transaction, job);
}
