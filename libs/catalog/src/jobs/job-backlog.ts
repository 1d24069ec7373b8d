import type { Transaction } from '../database/database.js';
import { findRow } from '../database/sql.js';
import { IN_FLIGHT_MAX, KINDS, limitsOfKinds } from './job-admission.js';

/** The work of one kind that there is, over all tenants. */
export interface JobBacklog {
  /** Jobs whose time has come and that no worker has started: queued, or admitted. */
  readonly waiting: number;
  readonly running: number;
  /** Of both together, how many may run at the same time by the limits of their tenants. */
  readonly runnable: number;
  /** How long the job that waits longest has waited; 0 when none does. */
  readonly oldestWaitMs: number;
  /** Mean time from start to end of those that succeeded lately; null when there are none. */
  readonly meanDurationMs: number | null;
}

/** Enough for a mean, few enough to be read in no time. */
const DURATIONS_MAX = 100;

const NOTHING: JobBacklog = { waiting: 0, running: 0, runnable: 0, oldestWaitMs: 0, meanDurationMs: null };

export async function findBacklog(transaction: Transaction, kind: string): Promise<JobBacklog> {
  const { kinds, limitNames, defaults } = limitsOfKinds({ kinds: [kind] });
  const backlog = await findRow<JobBacklog>(
    transaction,
    `WITH of_tenant AS (
       SELECT j.tenant_id, count(*) FILTER (WHERE j.status <> 'running') AS waiting,
         count(*) FILTER (WHERE j.status = 'running') AS running,
         min(j.run_after) FILTER (WHERE j.status <> 'running') AS oldest
       FROM jobs j WHERE j.kind = $4 AND j.status IN ('queued', 'admitted', 'running') AND j.run_after <= now()
       GROUP BY j.tenant_id)
     SELECT coalesce(sum(o.waiting), 0)::int AS waiting, coalesce(sum(o.running), 0)::int AS running,
       coalesce(sum(least(o.waiting + o.running, greatest(o.running, ${IN_FLIGHT_MAX}))), 0)::int AS runnable,
       coalesce(extract(epoch FROM now() - min(o.oldest)) * 1000, 0)::float8 AS "oldestWaitMs",
       (SELECT (avg(extract(epoch FROM d.ended_at - d.started_at)) * 1000)::float8 FROM (
          SELECT started_at, ended_at FROM jobs WHERE kind = $4 AND status = 'succeeded' AND started_at IS NOT NULL
          ORDER BY ended_at DESC LIMIT ${DURATIONS_MAX}) d) AS "meanDurationMs"
     FROM of_tenant o JOIN tenants t ON t.tenant_id = o.tenant_id CROSS JOIN ${KINDS}`,
    [kinds, limitNames, defaults, kind],
  );
  return backlog ?? NOTHING;
}
