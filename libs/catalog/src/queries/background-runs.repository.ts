import {
  DomainError,
  queryRunLifecycle,
  type Column,
  type JobFence,
  type QueryRunId,
  type ResultId,
  type Role,
  type TenantId,
  type UserId,
  type WrittenBlob,
} from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Database, Transaction } from '../database/database.js';
import { findRow, fromNow, NOW } from '../database/sql.js';
import { insertRow, transition } from '../database/transition.js';
import { attemptLost, CANCELLED, lockFence, succeedJob } from '../jobs/job-attempt.js';
import { insertJob, type NewJob } from '../jobs/outbox.js';
import { QueryRunEntity, type QueryInput, type QueryRun } from '../schema/query-run.entity.js';
import { ResultEntity } from '../schema/result.entity.js';
import { ENDED, moveRun } from './query-run-rows.js';

export interface NewBackgroundRun {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly id: QueryRunId;
  readonly sql: string;
  /** The bound parameters: an array, an object, or nothing. */
  readonly params?: unknown;
  /** SQL types that named parameters are cast to. */
  readonly paramTypes?: Readonly<Record<string, string>> | undefined;
  /** Of each attempt. */
  readonly timeoutMs: number;
  /** The `query.run` job. */
  readonly job: NewJob;
  /** Runs of the tenant that may wait or run in the background. Of several that come at once, a few more may pass. */
  readonly activeMax: number;
}

/** What an attempt works on. */
export interface BackgroundRun {
  readonly run: QueryRun;
  /** Of who asked for it, as it is now: it decides what there is for them. */
  readonly role: Role;
}

/** The rows of a statement, in the store already. */
export interface StoredRows {
  readonly resultId: ResultId;
  /** With the types the statement had. */
  readonly columns: readonly Column[];
  readonly rowCount: number;
  /** The file, under a key that `blobs.beginWriting` registered. */
  readonly blob: WrittenBlob;
  /** The `result.persist` job. */
  readonly job: NewJob;
  /** How long the result waits for that job until the sweeper looks after it. */
  readonly leaseMs: number;
  readonly expiresInMs: number;
}

/** Statements that nobody waits for: jobs, whose attempts are fenced like those of any other. */
export class BackgroundRunRepository {
  constructor(
    private readonly database: Database,
    private readonly references: BlobReferences,
  ) {}

  /**
   * Inserts a run as `queued`, with its job.
   *
   * @throws DomainError `query.too_many`
   */
  async create({ job, activeMax, params, paramTypes, ...run }: NewBackgroundRun): Promise<void> {
    const { tenantId, userId } = run;
    await this.database.transaction(async (transaction) => {
      if ((await countActive(transaction, tenantId)) >= activeMax) throw tooMany(activeMax);
      await insertJob(transaction, { tenantId, userId }, job);
      const given = { params: params ?? null, paramTypes: paramTypes ?? null };
      const row = { ...run, ...given, jobId: job.id, status: 'queued' } as const;
      await insertRow(transaction, QueryRunEntity, row);
    });
  }

  /**
   * The run of an attempt that has begun.
   *
   * @throws DomainError `job.lost` when the attempt is not the current one
   */
  async get(fence: JobFence): Promise<BackgroundRun> {
    return this.database.transaction(async (transaction) => {
      await lockFence(transaction, fence);
      const { tenantId, jobId } = fence;
      const run = await transaction.getRepository(QueryRunEntity).findOneBy({ tenantId, jobId });
      if (!run) throw attemptLost();
      const user = await findRow<{ role: Role }>(
        transaction,
        'SELECT role FROM users WHERE tenant_id = $1 AND id = $2',
        [tenantId, run.userId],
      );
      return { run, role: user?.role ?? 'member' };
    });
  }

  /**
   * `queued → running`, with what it reads.
   *
   * @throws DomainError `job.lost` when the attempt is not the current one
   */
  async start(fence: JobFence, { inputs }: { readonly inputs: readonly QueryInput[] }): Promise<void> {
    const { tenantId, jobId } = fence;
    await this.database.transaction(async (transaction) => {
      await lockFence(transaction, fence);
      const started = await transition(transaction, {
        entity: QueryRunEntity,
        lifecycle: queryRunLifecycle,
        where: { tenantId, jobId },
        to: 'running',
        set: { startedAt: NOW, inputs },
      });
      if (!started) throw attemptLost();
    });
  }

  /**
   * Ends run and job with success, and makes the result known, in one transaction: until then nobody was given its rows, and
   * nothing but the next attempt is lost with this one.
   *
   * @throws DomainError `job.lost` when the attempt is not the current one, `job.cancelled` when somebody asked for its end
   */
  async succeed(fence: JobFence, rows: StoredRows): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const job = await lockFence(transaction, fence);
      if (job.cancelRequestedAt !== null) throw DomainError.fromRecord(CANCELLED);
      const { tenantId, jobId } = fence;
      const run = await transaction.getRepository(QueryRunEntity).findOneByOrFail({ tenantId, jobId });
      await this.insertResult(transaction, run, rows);
      const { resultId, rowCount, blob } = rows;
      const set = { ...ENDED, rowCount, sizeBytes: blob.sizeBytes, resultId };
      if (!(await moveRun(transaction, run, { to: 'succeeded', set }))) throw attemptLost();
      await succeedJob(transaction, job);
    });
  }

  private async insertResult(
    transaction: Transaction,
    { tenantId, userId, id: queryRunId }: QueryRun,
    { resultId: id, columns, rowCount, blob, job, leaseMs, expiresInMs }: StoredRows,
  ): Promise<void> {
    const { storageKey } = await this.references.commitWritten(transaction, tenantId, blob);
    await insertJob(transaction, { tenantId, userId }, job);
    const { contentHash, sizeBytes } = blob;
    await insertRow(transaction, ResultEntity, {
      ...{ tenantId, userId, id, queryRunId, columns, rowCount, storageKey, contentHash, sizeBytes },
      jobId: job.id,
      status: 'processing',
      leaseUntil: fromNow(leaseMs),
      expiresAt: fromNow(expiresInMs),
      retainedUntil: fromNow(expiresInMs),
    });
  }
}

async function countActive(transaction: Transaction, tenantId: TenantId): Promise<number> {
  const row = await findRow<{ count: number }>(
    transaction,
    `SELECT count(*) AS count FROM query_runs
     WHERE tenant_id = $1 AND status IN ('queued', 'running') AND job_id IS NOT NULL`,
    [tenantId],
  );
  return row?.count ?? 0;
}

function tooMany(activeMax: number): DomainError {
  const many = activeMax === 1 ? 'one query' : `${activeMax} queries`;
  return new DomainError(
    'query.too_many',
    `At most ${many} can wait and run in the background. Wait until one has ended.`,
  );
}
