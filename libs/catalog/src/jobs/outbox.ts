import type { JobId, TenantId, UserId } from '@millrace/domain';
import { currentTraceparent, inSpan } from '@millrace/telemetry';
import type { Transaction } from '../database/database.js';
import { insertRow } from '../database/transition.js';
import type { JsonObject } from '../schema/json.js';
import { JobEntity } from '../schema/job.entity.js';

/** Postgres tells the listeners of this channel when a job was inserted. */
export const JOBS_CHANNEL = 'millrace_jobs';

/** A job as the caller describes it: its kind, payload and attempts come from the job catalog. */
export interface NewJob {
  readonly id: JobId;
  readonly kind: string;
  readonly payload: JsonObject;
  readonly attemptsMax: number;
}

export interface JobOwner {
  readonly tenantId: TenantId;
  /** Who caused it; null for work of the house. */
  readonly userId: UserId | null;
}

/**
 * Writes a job in the transaction of the change it follows from, and wakes the dispatcher when that commits. Its attempts
 * will be in the trace in which it is written.
 */
export async function insertJob(transaction: Transaction, owner: JobOwner, job: NewJob): Promise<void> {
  const { tenantId, userId } = owner;
  const { id, kind, payload, attemptsMax } = job;
  const attributes = { 'millrace.tenant.id': tenantId, 'millrace.job.id': id };
  await inSpan({ name: `enqueue ${kind}`, kind: 'producer' }, attributes, async (span) => {
    const traceparent = span.traceparent ?? currentTraceparent() ?? null;
    const row = { tenantId, userId, id, kind, payload, attemptsMax, traceparent, status: 'queued' } as const;
    await insertRow(transaction, JobEntity, row);
    await wakeDispatcher(transaction);
  });
}

export async function wakeDispatcher(transaction: Transaction): Promise<void> {
  await transaction.query(`SELECT pg_notify($1, '')`, [JOBS_CHANNEL]);
}
