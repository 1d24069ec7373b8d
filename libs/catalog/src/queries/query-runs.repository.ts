import {
  DomainError,
  isTerminal,
  queryRunLifecycle,
  type ErrorRecord,
  type QueryRunId,
  type QueryRunStatus,
  type TenantId,
  type UserId,
} from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Database, Transaction } from '../database/database.js';
import { pageOf, type Page, type PageRequest } from '../database/page.js';
import { findRow, fromNow, NOW, rowsOf } from '../database/sql.js';
import { sweep, SWEEP_ROWS_MAX } from '../database/sweep.js';
import { insertRow, type Changes } from '../database/transition.js';
import { lockJob, requestCancel } from '../jobs/job-attempt.js';
import { QueryRunEntity, type QueryInput, type QueryRun } from '../schema/query-run.entity.js';
import { ENDED, moveRun, QUERY_CANCELLED, QUERY_LOST, type QueryRunKey } from './query-run-rows.js';

export interface NewQueryRun {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly id: QueryRunId;
  readonly sql: string;
  /** The bound parameters: an array, an object, or nothing. */
  readonly params?: unknown;
  readonly timeoutMs: number;
  readonly leaseMs: number;
}

export interface QueryRunFilter {
  readonly status?: QueryRunStatus | undefined;
  /** Only the runs of this user. */
  readonly userId?: UserId | undefined;
}

/** How far a run is, 0 to 1. */
export interface QueryProgress extends QueryRunKey {
  readonly fraction: number;
}

/** What the owner of running queries has to know: which were asked to stop, and which are not its own any more. */
export interface LeaseAnswer {
  readonly cancelRequested: readonly QueryRunId[];
  readonly lost: readonly QueryRunId[];
}

/**
 * Statements that were asked for, and what became of them. Their beginning does not wait for the disk: no answer was given
 * yet, and the commit of their end takes it along.
 */
export class QueryRunRepository {
  constructor(
    private readonly database: Database,
    private readonly references: BlobReferences,
  ) {}

  /** Inserts a run as `queued`. */
  async create({ leaseMs, params, ...run }: NewQueryRun): Promise<void> {
    const { tenantId, userId, id, sql, timeoutMs } = run;
    await this.database.runRelaxed((manager) =>
      insertRow(manager, QueryRunEntity, {
        tenantId,
        userId,
        id,
        sql,
        timeoutMs,
        params: params ?? null,
        status: 'queued',
        leaseUntil: fromNow(leaseMs),
      }),
    );
  }

  /** `queued → running`. Returns false when the run is not queued any more: it was cancelled or lost. */
  start(key: QueryRunKey, { leaseMs, inputs }: { leaseMs: number; inputs?: readonly QueryInput[] }): Promise<boolean> {
    const set = { startedAt: NOW, leaseUntil: fromNow(leaseMs), ...(inputs && { inputs }) };
    return this.database.runRelaxed((manager) => moveRun(manager, key, { to: 'running', set }));
  }

  /**
   * `running → succeeded`, for a run without a result; `ResultRepository.create` ends one with a result. Returns false when
   * the run has ended otherwise meanwhile.
   */
  succeed(key: QueryRunKey, { rowCount }: { rowCount: number }): Promise<boolean> {
    return this.move(key, 'succeeded', { ...ENDED, rowCount });
  }

  /** Ends a run with an error. Returns false when it has ended already. */
  fail(key: QueryRunKey, error: ErrorRecord): Promise<boolean> {
    return this.move(key, 'failed', { ...ENDED, error });
  }

  /** Ends a run that was stopped at somebody's wish. Returns false when it has ended already. */
  cancel(key: QueryRunKey): Promise<boolean> {
    return this.move(key, 'cancelled', { ...ENDED, error: QUERY_CANCELLED });
  }

  /**
   * Asks for the end of a run; whoever runs it is told at its next `extendLeases`, or heartbeat. One that waits in the
   * background ends at once, and one that was cancelled already stays as it is.
   *
   * @throws DomainError `query.not_found`, `query.finished`
   */
  async requestCancel(
    tenantId: TenantId,
    id: QueryRunId,
    filter: { userId?: UserId | undefined } = {},
  ): Promise<QueryRun> {
    const { jobId } = await this.get(tenantId, id, filter);
    await this.database.transaction(async (transaction) => {
      const job = jobId === null ? undefined : await lockJob(transaction, tenantId, jobId);
      await rowsOf(
        transaction,
        `UPDATE query_runs SET cancel_requested_at = coalesce(cancel_requested_at, now())
         WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`,
        [tenantId, id],
      );
      if (job) await requestCancel(transaction, this.references, job);
    });
    const run = await this.get(tenantId, id, filter);
    if (!isTerminal(queryRunLifecycle, run.status) || run.status === 'cancelled') return run;
    throw new DomainError('query.finished', `The query has ended already: its status is "${run.status}".`);
  }

  /** Says that queries, queued or running, are still being worked on. */
  async extendLeases(runs: readonly QueryRunKey[], { leaseMs }: { leaseMs: number }): Promise<LeaseAnswer> {
    const extended = await this.database.run((manager) =>
      rowsOf<{ id: QueryRunId; cancelRequested: boolean }>(
        manager,
        `UPDATE query_runs SET lease_until = ${fromNow(leaseMs)()}
         WHERE (tenant_id, id) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND lease_until IS NOT NULL
         RETURNING id, cancel_requested_at IS NOT NULL AS "cancelRequested"`,
        [runs.map((run) => run.tenantId), runs.map((run) => run.id)],
      ),
    );
    const alive = new Set(extended.map((run) => run.id));
    return {
      cancelRequested: extended.filter((run) => run.cancelRequested).map((run) => run.id),
      lost: runs.map((run) => run.id).filter((id) => !alive.has(id)),
    };
  }

  /** Notes how far runs are; those that have ended stay as they are. */
  async noteProgress(runs: readonly QueryProgress[]): Promise<void> {
    await this.database.runRelaxed((manager) =>
      rowsOf(
        manager,
        `UPDATE query_runs q SET progress = p.fraction
         FROM unnest($1::text[], $2::text[], $3::float8[]) AS p (tenant_id, id, fraction)
         WHERE q.tenant_id = p.tenant_id AND q.id = p.id AND q.status = 'running'`,
        [runs.map((run) => run.tenantId), runs.map((run) => run.id), runs.map((run) => run.fraction)],
      ),
    );
  }

  /** @throws DomainError `query.not_found` */
  async get(tenantId: TenantId, id: QueryRunId, { userId }: { userId?: UserId | undefined } = {}): Promise<QueryRun> {
    const run = await this.database.run((manager) => manager.getRepository(QueryRunEntity).findOneBy({ tenantId, id }));
    if (run && (userId === undefined || run.userId === userId)) return run;
    throw new DomainError('query.not_found', 'There is no query with this id.');
  }

  async list(tenantId: TenantId, request: PageRequest<QueryRunId> & QueryRunFilter): Promise<Page<QueryRun>> {
    return this.database.run((manager) => {
      const query = manager.createQueryBuilder(QueryRunEntity, 'row').where('row.tenantId = :tenantId', { tenantId });
      const { status, userId } = request;
      if (status !== undefined) query.andWhere('row.status = :status', { status });
      if (userId !== undefined) query.andWhere('row.userId = :userId', { userId });
      return pageOf(query, request);
    });
  }

  /** Runs of a tenant that somebody waits for, or has waited for, at this moment: not those in the background. */
  async countActive(tenantId: TenantId): Promise<number> {
    const row = await this.database.run((manager) =>
      findRow<{ count: number }>(
        manager,
        `SELECT count(*) AS count FROM query_runs WHERE tenant_id = $1 AND status IN ('queued', 'running') AND job_id IS NULL`,
        [tenantId],
      ),
    );
    return row?.count ?? 0;
  }

  /** Fails runs of all tenants whose service went away. */
  async sweepLost(): Promise<QueryRunKey[]> {
    return sweep(this.database, {
      find: (manager) =>
        rowsOf<QueryRunKey>(
          manager,
          `SELECT tenant_id AS "tenantId", id FROM query_runs WHERE lease_until < now() ORDER BY lease_until LIMIT $1`,
          [SWEEP_ROWS_MAX],
        ),
      end: (transaction, key) => this.lose(transaction, key),
    });
  }

  /**
   * Forgets runs of all tenants that ended long ago, and their results once those are failed or expired; a result that
   * can still be read keeps its run. Returns how many runs.
   */
  async purgeEnded({ olderThanMs, limit }: { olderThanMs: number; limit: number }): Promise<number> {
    return this.database.transaction(async (transaction) => {
      const runs = await rowsOf<QueryRunKey>(
        transaction,
        `SELECT q.tenant_id AS "tenantId", q.id FROM query_runs q
         LEFT JOIN results r ON r.tenant_id = q.tenant_id AND r.query_run_id = q.id
         WHERE q.ended_at < ${fromNow(-olderThanMs)()} AND (r.id IS NULL OR r.status IN ('failed', 'expired'))
         ORDER BY q.ended_at LIMIT $1 FOR UPDATE OF q SKIP LOCKED`,
        [limit],
      );
      const keys = [runs.map((run) => run.tenantId), runs.map((run) => run.id)];
      const chosen = '(SELECT * FROM unnest($1::text[], $2::text[]))';
      // Run and result name each other: the run lets go first.
      await transaction.query(`UPDATE query_runs SET result_id = NULL WHERE (tenant_id, id) IN ${chosen}`, keys);
      await transaction.query(`DELETE FROM results WHERE (tenant_id, query_run_id) IN ${chosen}`, keys);
      await transaction.query(`DELETE FROM query_runs WHERE (tenant_id, id) IN ${chosen}`, keys);
      return runs.length;
    });
  }

  private async lose(transaction: Transaction, { tenantId, id }: QueryRunKey): Promise<QueryRunKey | undefined> {
    const run = await findRow(
      transaction,
      'SELECT id FROM query_runs WHERE tenant_id = $1 AND id = $2 AND lease_until < now() FOR UPDATE SKIP LOCKED',
      [tenantId, id],
    );
    if (!run) return undefined;
    await moveRun(transaction, { tenantId, id }, { to: 'failed', set: { ...ENDED, error: QUERY_LOST } });
    return { tenantId, id };
  }

  private move(key: QueryRunKey, to: QueryRunStatus, set: Changes<Omit<QueryRun, 'status'>>): Promise<boolean> {
    return this.database.run((manager) => moveRun(manager, key, { to, set }));
  }
}
