import { DEFAULT_TENANT_LIMITS, type JobId, type TenantId, type TenantLimits } from '@millrace/domain';
import type { Transaction } from '../database/database.js';
import { findRow, fromNow, rowsOf } from '../database/sql.js';
import type { JsonObject } from '../schema/json.js';
import { CONVERT_JOB, QUERY_JOB } from './job-consequences.js';

export interface AdmitRequest {
  /** The kinds of jobs that share one queue. */
  readonly kinds: readonly string[];
  /** Jobs of these kinds that may be admitted and not yet started, over all tenants. */
  readonly admittedMax: number;
  /** How long the queue may take until a worker starts the job. */
  readonly leaseMs: number;
  /** Jobs of one kind that one tenant may have in flight, where its own limits say nothing else. */
  readonly tenantInFlightMax?: number;
}

export interface AdmittedJob {
  readonly tenantId: TenantId;
  readonly jobId: JobId;
  readonly kind: string;
  /** The fence number of the attempt that begins. */
  readonly attempt: number;
  readonly payload: JsonObject;
}

export const TENANT_IN_FLIGHT_MAX = 100;

/** The tenant limit that bounds a kind of job. */
const LIMIT_OF_KIND: Readonly<Record<string, keyof TenantLimits>> = {
  [CONVERT_JOB]: 'convertConcurrencyMax',
  [QUERY_JOB]: 'backgroundQueryConcurrencyMax',
};

/** Any number: whoever holds it admits. */
const ADMISSION_LOCK = 7_294_551_022;

/** How many jobs of a kind a tenant may have in flight, as SQL over `tenants t` and the limits given as parameters. */
export const IN_FLIGHT_MAX = `coalesce((t.limits->>(l.limit_name))::int, l.default_max)`;

/** The kinds asked for with the names and defaults of their limits, from three parallel arrays $1, $2 and $3. */
export const KINDS = `unnest($1::text[], $2::text[], $3::int[]) AS l (kind, limit_name, default_max)`;

/**
 * The tenants that have queued jobs, found one after the other in the index: the cost does not grow with the tenants that
 * have none, nor with the jobs that one has (https://wiki.postgresql.org/wiki/Loose_indexscan).
 */
const WAITING_TENANTS = `waiting AS (
  (SELECT tenant_id FROM jobs WHERE status = 'queued' ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT (SELECT j.tenant_id FROM jobs j WHERE j.status = 'queued' AND j.tenant_id > w.tenant_id
          ORDER BY j.tenant_id LIMIT 1)
  FROM waiting w WHERE w.tenant_id IS NOT NULL)`;

/** Whether a job of these kinds waits whose time has come. Costs much less than to admit, and nobody waits for a lock. */
export async function isAnyDue(transaction: Transaction, kinds: readonly string[]): Promise<boolean> {
  const due = await findRow(
    transaction,
    `SELECT 1 FROM jobs WHERE kind = ANY($1) AND status = 'queued' AND run_after <= now() LIMIT 1`,
    [kinds],
  );
  return due !== undefined;
}

/**
 * Moves queued jobs whose time has come to `admitted`. Tenants take turns: the one with the fewest jobs in flight comes
 * first, and none gets more than its limit, however long its backlog is.
 *
 * @returns the admitted jobs in the order of their turns
 */
export async function admitJobs(transaction: Transaction, request: AdmitRequest): Promise<AdmittedJob[]> {
  // Counting and admitting must not interleave with another dispatcher's, or both would fill the same limit.
  await transaction.query('SELECT pg_advisory_xact_lock($1)', [ADMISSION_LOCK]);
  const room = request.admittedMax - (await countAdmitted(transaction, request.kinds));
  if (room <= 0) return [];
  const { kinds, limitNames, defaults } = limitsOfKinds(request);
  return rowsOf<AdmittedJob>(
    transaction,
    `WITH RECURSIVE ${WAITING_TENANTS}, candidates AS (
       SELECT j.tenant_id, j.id, j.run_after, f.in_flight + j.turn AS turn
       FROM waiting w JOIN tenants t ON t.tenant_id = w.tenant_id CROSS JOIN ${KINDS}
       CROSS JOIN LATERAL (
         SELECT count(*) AS in_flight FROM jobs
         WHERE tenant_id = t.tenant_id AND kind = l.kind AND status IN ('admitted', 'running')) f
       CROSS JOIN LATERAL (
         SELECT tenant_id, id, run_after, row_number() OVER (ORDER BY run_after, id) AS turn FROM jobs
         WHERE tenant_id = t.tenant_id AND kind = l.kind AND status = 'queued' AND run_after <= now()
         ORDER BY run_after, id LIMIT greatest(0, least($4::int, ${IN_FLIGHT_MAX} - f.in_flight))) j
     ), chosen AS (
       SELECT j.tenant_id, j.id, c.turn FROM jobs j JOIN candidates c ON c.tenant_id = j.tenant_id AND c.id = j.id
       WHERE j.status = 'queued' ORDER BY c.turn, c.run_after, c.id LIMIT $4 FOR UPDATE OF j SKIP LOCKED
     ), admitted AS (
       UPDATE jobs j SET status = 'admitted', attempt = j.attempt + 1, lease_until = ${fromNow(request.leaseMs)()}
       FROM chosen c WHERE j.tenant_id = c.tenant_id AND j.id = c.id AND j.status = 'queued'
       RETURNING j.*, c.turn
     )
     SELECT tenant_id AS "tenantId", id AS "jobId", kind, attempt, payload FROM admitted ORDER BY turn, run_after, id`,
    [kinds, limitNames, defaults, room],
  );
}

async function countAdmitted(transaction: Transaction, kinds: readonly string[]): Promise<number> {
  const row = await findRow<{ count: number }>(
    transaction,
    `SELECT count(*) AS count FROM jobs WHERE kind = ANY($1) AND status = 'admitted'`,
    [kinds],
  );
  return row?.count ?? 0;
}

export function limitsOfKinds({
  kinds,
  tenantInFlightMax = TENANT_IN_FLIGHT_MAX,
}: Pick<AdmitRequest, 'kinds' | 'tenantInFlightMax'>) {
  const limitNames = kinds.map((kind) => LIMIT_OF_KIND[kind] ?? null);
  const defaults = limitNames.map((name) => (name === null ? tenantInFlightMax : DEFAULT_TENANT_LIMITS[name]));
  return { kinds, limitNames, defaults };
}

export interface QueuePlace {
  /** 1 for the job of its tenant and kind that comes next. */
  readonly position: number;
  /** What it waits for: a pause after a failure, the tenant's limit, or its turn. */
  readonly blockedBy: 'backoff' | 'tenant_limit' | 'queue';
}

/** Where a queued job stands among those of its tenant and kind; undefined when it is not queued. */
export function findQueuePlace(
  transaction: Transaction,
  { tenantId, id, kind }: { tenantId: TenantId; id: JobId; kind: string },
): Promise<QueuePlace | undefined> {
  const { kinds, limitNames, defaults } = limitsOfKinds({ kinds: [kind] });
  return findRow<QueuePlace>(
    transaction,
    `SELECT 1 + (SELECT count(*) FROM jobs o WHERE o.tenant_id = j.tenant_id AND o.kind = j.kind
                 AND o.status = 'queued' AND (o.run_after, o.id) < (j.run_after, j.id)) AS position,
       CASE WHEN j.run_after > now() THEN 'backoff'
            WHEN (SELECT count(*) FROM jobs o WHERE o.tenant_id = j.tenant_id AND o.kind = j.kind
                  AND o.status IN ('admitted', 'running')) >= ${IN_FLIGHT_MAX} THEN 'tenant_limit'
            ELSE 'queue' END AS "blockedBy"
     FROM jobs j JOIN tenants t ON t.tenant_id = j.tenant_id JOIN ${KINDS} ON l.kind = j.kind
     WHERE j.tenant_id = $4 AND j.id = $5 AND j.status = 'queued'`,
    [kinds, limitNames, defaults, tenantId, id],
  );
}
