import type { ErrorRecord, JobId, JobStatus, TenantId, UserId } from '@millrace/domain';
import { EntitySchema } from 'typeorm';
import { identity, json, number, text, time } from './columns.js';
import { errorRecord, jsonObject, type JsonObject } from './json.js';

/** A piece of background work: the outbox's row and the ledger's at once. */
export interface Job {
  readonly tenantId: TenantId;
  readonly id: JobId;
  /** Who caused it; null for work of the house. */
  readonly userId: UserId | null;
  readonly kind: string;
  readonly status: JobStatus;
  readonly payload: JsonObject;
  /** Number of admissions so far; the current one is the fence. */
  readonly attempt: number;
  /** Attempts that ended by a passing fault or a lost worker. */
  readonly failures: number;
  readonly attemptsMax: number;
  readonly runAfter: Date;
  readonly leaseUntil: Date | null;
  /** 0 to 1; null while it is not known. */
  readonly progress: number | null;
  /** Why the last attempt failed; of an ended job, why it did. */
  readonly error: ErrorRecord | null;
  readonly cancelRequestedAt: Date | null;
  /** Of the span that inserted it; null when there was none. */
  readonly traceparent: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
}

export const JobEntity = new EntitySchema<Job>({
  name: 'job',
  tableName: 'jobs',
  columns: {
    ...identity,
    userId: text('user_id'),
    kind: text('kind'),
    status: text('status'),
    payload: json('payload', jsonObject),
    attempt: number('attempt'),
    failures: number('failures'),
    attemptsMax: number('attempts_max'),
    runAfter: time('run_after'),
    leaseUntil: time('lease_until'),
    progress: number('progress'),
    error: json('error', errorRecord),
    cancelRequestedAt: time('cancel_requested_at'),
    traceparent: text('traceparent'),
    createdAt: time('created_at'),
    startedAt: time('started_at'),
    endedAt: time('ended_at'),
  },
});
