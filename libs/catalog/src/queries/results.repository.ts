import {
  DomainError,
  resultLifecycle,
  type Column,
  type ErrorRecord,
  type JobFence,
  type JobStatus,
  type QueryRunId,
  type ResultId,
  type ResultStatus,
  type TenantId,
  type UserId,
  type WrittenBlob,
} from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Database } from '../database/database.js';
import { pageOf, type Page, type PageRequest } from '../database/page.js';
import { findRow, fromNow, NOW, rowsOf } from '../database/sql.js';
import { sweep } from '../database/sweep.js';
import { insertRow, transition, updateRow } from '../database/transition.js';
import { attemptLost, cancelJob, lockFence, succeedJob } from '../jobs/job-attempt.js';
import { failResult } from '../jobs/job-consequences.js';
import { insertJob, type NewJob } from '../jobs/outbox.js';
import { ResultEntity, type Result } from '../schema/result.entity.js';
import type { JsonObject } from '../schema/json.js';
import { ENDED, moveRun, queryRunLost } from './query-run-rows.js';
import { findResults, lockResult, resultNotFound, type ResultKey } from './result-rows.js';

export const RESULT_LOST: ErrorRecord = {
  code: 'result.lost',
  detail: 'The service went away before the result was stored. Run the query again.',
};

const FILE_MISSING: ErrorRecord = {
  code: 'result.file_missing',
  detail: 'The file of the result is missing. Run the query again.',
};

export interface NewResult {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly id: ResultId;
  readonly queryRunId: QueryRunId;
  /** With the types the statement had. */
  readonly columns: readonly Column[];
  readonly rowCount: number;
  /** Of the file. */
  readonly sizeBytes: number;
  /** See `Result.reuseKey`. */
  readonly reuseKey?: string | undefined;
  /** How long the service that holds the file has until it is stored. */
  readonly leaseMs: number;
  readonly expiresInMs: number;
}

/** A result may be read by who ran the query (name that user) and by admins (name nobody). */
export interface ReaderFilter {
  readonly userId?: UserId | undefined;
}

export interface StoredResult {
  /** The file, under a key that `blobs.beginWriting` registered. */
  readonly blob: WrittenBlob;
  /** The `result.persist` job. */
  readonly job: NewJob;
  /** How long the result waits for that job until the sweeper looks after it. */
  readonly leaseMs: number;
}

/** The rows of queries, kept as tables for a while. */
export class ResultRepository {
  constructor(
    private readonly database: Database,
    private readonly references: BlobReferences,
  ) {}

  /**
   * Inserts a result as `processing`, before its rows are answered, and ends its query run with success.
   *
   * @throws DomainError `query.lost` when the run has ended otherwise meanwhile
   */
  async create({ leaseMs, expiresInMs, ...result }: NewResult): Promise<void> {
    const { tenantId, userId, id, queryRunId, columns, rowCount, sizeBytes, reuseKey = null } = result;
    await this.database.transaction(async (transaction) => {
      await insertRow(transaction, ResultEntity, {
        tenantId,
        userId,
        id,
        queryRunId,
        columns,
        rowCount,
        reuseKey,
        status: 'processing',
        leaseUntil: fromNow(leaseMs),
        expiresAt: fromNow(expiresInMs),
        retainedUntil: fromNow(expiresInMs),
      });
      const set = { ...ENDED, rowCount, sizeBytes, resultId: id };
      if (!(await moveRun(transaction, { tenantId, id: queryRunId }, { to: 'succeeded', set }))) throw queryRunLost();
    });
  }

  /** Extends the lease while the file is on its way into the store. Returns false when the result is lost already. */
  async extendLease({ tenantId, id }: ResultKey, { leaseMs }: { leaseMs: number }): Promise<boolean> {
    const extended = await this.database.run((manager) =>
      rowsOf(
        manager,
        `UPDATE results SET lease_until = ${fromNow(leaseMs)()}
         WHERE tenant_id = $1 AND id = $2 AND status = 'processing' RETURNING id`,
        [tenantId, id],
      ),
    );
    return extended.length > 0;
  }

  /**
   * Notes that the file is stored and writes the job that makes the result ready.
   *
   * @throws DomainError `result.not_found`, `result.lost` when the result has failed meanwhile
   */
  async stored({ tenantId, id }: ResultKey, { blob, job, leaseMs }: StoredResult): Promise<void> {
    // Undone, it is a result whose service went away: its lease ends, and so does that of the file.
    await this.database.transactionRelaxed(async (transaction) => {
      const result = await lockResult(transaction, { tenantId, id });
      if (!result) throw resultNotFound();
      if (result.status !== 'processing' || result.storageKey) throw DomainError.fromRecord(RESULT_LOST);
      const { storageKey } = await this.references.commitWritten(transaction, tenantId, blob);
      await insertJob(transaction, { tenantId, userId: result.userId }, job);
      const { contentHash, sizeBytes } = blob;
      await updateRow(transaction, ResultEntity, {
        where: { tenantId, id },
        set: { storageKey, contentHash, sizeBytes, jobId: job.id, leaseUntil: fromNow(leaseMs) },
      });
    });
  }

  /**
   * The result a `result.persist` job works on.
   *
   * @throws DomainError `job.lost` when the attempt is not the current one
   */
  async getForPersist(fence: JobFence): Promise<Result> {
    const { tenantId, jobId, attempt } = fence;
    const result = await this.database.run((manager) =>
      manager
        .createQueryBuilder(ResultEntity, 'row')
        .where('row.tenantId = :tenantId AND row.jobId = :jobId', { tenantId, jobId })
        .andWhere('row.status = :status', { status: 'processing' satisfies ResultStatus })
        .andWhere(`EXISTS (${CURRENT_ATTEMPT})`, { running: 'running' satisfies JobStatus, attempt })
        .getOne(),
    );
    if (!result) throw attemptLost();
    return result;
  }

  /**
   * Makes a result ready and ends its job.
   *
   * @throws DomainError `job.lost` when the attempt is not the current one: nothing has changed
   */
  async commitReady(
    fence: JobFence,
    { statistics, columns }: { statistics: JsonObject; columns?: readonly Column[] },
  ): Promise<'committed' | 'cancelled'> {
    const { tenantId, jobId } = fence;
    return this.database.transaction(async (transaction) => {
      const job = await lockFence(transaction, fence);
      const ready = await transition(transaction, {
        entity: ResultEntity,
        lifecycle: resultLifecycle,
        where: { tenantId, jobId },
        to: 'ready',
        set: { statistics, ...(columns && { columns }), readyAt: NOW, leaseUntil: null },
      });
      await (ready ? succeedJob(transaction, job) : cancelJob(transaction, this.references, job));
      return ready ? 'committed' : 'cancelled';
    });
  }

  /** Fails a result that could not be stored. Returns false when it is not processing any more. */
  fail({ tenantId, id }: ResultKey, error: ErrorRecord): Promise<boolean> {
    return this.database.transaction((transaction) =>
      failResult(transaction, this.references, { tenantId, id, from: 'processing', error }),
    );
  }

  /** Fails a ready result whose file vanished. Returns false when it is not ready any more. */
  markFileMissing({ tenantId, id }: ResultKey): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      const result = await lockResult(transaction, { tenantId, id });
      if (result?.storageKey) await this.references.markLost(transaction, tenantId, result.storageKey);
      return failResult(transaction, this.references, { tenantId, id, from: 'ready', error: FILE_MISSING });
    });
  }

  /** @throws DomainError `result.not_found` */
  async get(tenantId: TenantId, id: ResultId, { userId }: ReaderFilter = {}): Promise<Result> {
    const result = await this.database.run((manager) =>
      manager.getRepository(ResultEntity).findOneBy({ tenantId, id }),
    );
    if (!result || (userId !== undefined && result.userId !== userId)) throw resultNotFound();
    return result;
  }

  async list(
    tenantId: TenantId,
    request: PageRequest<ResultId> & ReaderFilter & { status?: ResultStatus | undefined },
  ): Promise<Page<Result>> {
    return this.database.run((manager) => {
      const query = manager.createQueryBuilder(ResultEntity, 'row').where('row.tenantId = :tenantId', { tenantId });
      const { userId, status } = request;
      if (userId !== undefined) query.andWhere('row.userId = :userId', { userId });
      if (status !== undefined) query.andWhere('row.status = :status', { status });
      return pageOf(query, request);
    });
  }

  /** The results of the ids that exist and may be read, in any status. */
  async resolve(tenantId: TenantId, ids: readonly ResultId[], { userId }: ReaderFilter = {}): Promise<Result[]> {
    if (ids.length === 0) return [];
    return this.database.run((manager) => {
      const query = manager.createQueryBuilder(ResultEntity, 'row').where('row.tenantId = :tenantId', { tenantId });
      query.andWhere('row.id IN (:...ids)', { ids });
      if (userId !== undefined) query.andWhere('row.userId = :userId', { userId });
      return query.getMany();
    });
  }

  /** Fails results of all tenants that nobody will make ready any more: the lease is over and no job is alive. */
  async sweepLost(): Promise<ResultKey[]> {
    return sweep(this.database, {
      find: (manager) => findResults(manager, LOST),
      end: async (transaction, key) => {
        const { tenantId, id } = key;
        const lost = await findRow(
          transaction,
          `SELECT id FROM results r WHERE tenant_id = $1 AND id = $2 AND ${LOST} FOR UPDATE SKIP LOCKED`,
          [tenantId, id],
        );
        if (!lost) return undefined;
        await failResult(transaction, this.references, { tenantId, id, from: 'processing', error: RESULT_LOST });
        return key;
      },
    });
  }
}

/** The job of a result, while the attempt runs; what follows from it asks again, with the job locked. */
const CURRENT_ATTEMPT =
  'SELECT 1 FROM jobs j WHERE j.tenant_id = row.tenantId AND j.id = row.jobId AND j.status = :running AND j.attempt = :attempt';

/** A condition on `results r`. */
const LOST = `r.status = 'processing' AND r.lease_until < now() AND NOT EXISTS (
  SELECT 1 FROM jobs j WHERE j.tenant_id = r.tenant_id AND j.id = r.job_id
    AND j.status IN ('queued', 'admitted', 'running'))`;
