import type { Transaction } from '../database/database.js';
import { rowsOf } from '../database/sql.js';

/** What there is to do of one kind, over all tenants. */
export interface QueueDepth {
  readonly kind: string;
  /** Jobs whose time has come and that no worker has started. */
  readonly waiting: number;
  /** Jobs that wait for the time of their next attempt. */
  readonly delayed: number;
  readonly running: number;
  /** How long the job that waits longest has waited; 0 when none does. */
  readonly oldestWaitMs: number;
}

/** Kinds without such jobs are left out. */
export function findQueueDepths(transaction: Transaction): Promise<QueueDepth[]> {
  return rowsOf<QueueDepth>(
    transaction,
    `SELECT kind,
       (count(*) FILTER (WHERE status <> 'running' AND run_after <= now()))::int AS waiting,
       (count(*) FILTER (WHERE status <> 'running' AND run_after > now()))::int AS delayed,
       (count(*) FILTER (WHERE status = 'running'))::int AS running,
       coalesce(extract(epoch FROM now() - min(run_after) FILTER (WHERE status <> 'running' AND run_after <= now()))
         * 1000, 0)::float8 AS "oldestWaitMs"
     FROM jobs WHERE status IN ('queued', 'admitted', 'running') GROUP BY kind`,
    [],
  );
}
