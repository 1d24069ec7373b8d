import type { ResultId, TenantId, UserId } from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Database, Transaction } from '../database/database.js';
import { fromNow, NOW } from '../database/sql.js';
import { insertRow } from '../database/transition.js';
import type { QueryInput } from '../schema/query-run.entity.js';
import { ResultEntity, type Result } from '../schema/result.entity.js';
import { ENDED, moveRun, queryRunLost, type QueryRunKey } from './query-run-rows.js';
import { lockResult } from './result-rows.js';

export interface ReusedResult {
  readonly userId: UserId;
  /** The run that asked again, which is queued. */
  readonly queryRunId: QueryRunKey['id'];
  /** Of the new result. */
  readonly id: ResultId;
  readonly inputs: readonly QueryInput[];
  readonly expiresInMs: number;
}

/** Earlier results as answers to the same question. */
export class ResultReuseRepository {
  constructor(
    private readonly database: Database,
    private readonly references: BlobReferences,
  ) {}

  /** The newest result that is the answer, of whichever user of the tenant. */
  async find(tenantId: TenantId, reuseKey: string): Promise<Result | undefined> {
    const result = await this.database.run((manager) =>
      manager
        .createQueryBuilder(ResultEntity, 'row')
        .where('row.tenantId = :tenantId AND row.reuseKey = :reuseKey', { tenantId, reuseKey })
        .andWhere(`row.status = 'ready' AND (row.expiresAt IS NULL OR row.expiresAt > now())`)
        .orderBy('row.id', 'DESC')
        .limit(1)
        .getOne(),
    );
    return result ?? undefined;
  }

  /**
   * Answers a run with an earlier result: in one transaction the run gets its inputs, succeeds, and has a result of its own,
   * which is `ready` at once. The two results share a file, with a reference each; the new one expires on its own.
   *
   * @returns false when the earlier result is gone meanwhile: nothing has changed
   * @throws DomainError `query.lost` when the run has ended otherwise meanwhile
   */
  async reuse({ tenantId, id }: Pick<Result, 'tenantId' | 'id'>, reused: ReusedResult): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      const earlier = await lockResult(transaction, { tenantId, id });
      if (earlier?.status !== 'ready' || earlier.expired || earlier.storageKey === null) return false;
      if (!(await this.references.takeAll(transaction, tenantId, [earlier.storageKey]))) return false;
      const result = await transaction.getRepository(ResultEntity).findOneByOrFail({ tenantId, id });
      await insertAgain(transaction, result, reused);
      await succeedAtOnce(transaction, result, reused);
      return true;
    });
  }
}

async function insertAgain(transaction: Transaction, earlier: Result, reused: ReusedResult): Promise<void> {
  const { tenantId, columns, rowCount, storageKey, contentHash, sizeBytes, statistics, reuseKey } = earlier;
  const { id, userId, queryRunId, expiresInMs } = reused;
  const end = fromNow(expiresInMs);
  await insertRow(transaction, ResultEntity, {
    ...{ tenantId, id, userId, queryRunId },
    ...{ columns, rowCount, storageKey, contentHash, sizeBytes, statistics, reuseKey },
    status: 'ready',
    ...{ readyAt: NOW, expiresAt: end, retainedUntil: end },
  });
}

async function succeedAtOnce(transaction: Transaction, earlier: Result, reused: ReusedResult): Promise<void> {
  const { tenantId, rowCount, sizeBytes } = earlier;
  const key = { tenantId, id: reused.queryRunId };
  const started = { startedAt: NOW, inputs: reused.inputs };
  if (!(await moveRun(transaction, key, { to: 'running', set: started }))) throw queryRunLost();
  await moveRun(transaction, key, { to: 'succeeded', set: { ...ENDED, rowCount, sizeBytes, resultId: reused.id } });
}
