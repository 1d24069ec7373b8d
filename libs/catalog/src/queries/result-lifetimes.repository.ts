import { resultLifecycle, type ResultId, type TenantId } from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Database, Transaction } from '../database/database.js';
import { findRow, fromNow } from '../database/sql.js';
import { sweep } from '../database/sweep.js';
import { transition, updateRow } from '../database/transition.js';
import { QueryRunEntity } from '../schema/query-run.entity.js';
import { ResultEntity, type Result } from '../schema/result.entity.js';
import { findResults, lockResult, resultNotFound, type LockedResult, type ResultKey } from './result-rows.js';
import { resultUnavailable } from './result-unavailable.js';
import type { ReaderFilter } from './results.repository.js';

/** How long results stay: pins, deletion at somebody's wish, and the end of their time. */
export class ResultLifetimeRepository {
  constructor(
    private readonly database: Database,
    private readonly references: BlobReferences,
  ) {}

  /**
   * Keeps a result for longer than usual, never for shorter. A pin takes the place of the one before.
   *
   * @param pin.ttlMs from now; until somebody unpins or deletes it when left out
   * @throws DomainError `result.not_found`, `result.failed`, `result.expired`
   */
  pin(
    key: ResultKey,
    { ttlMs, ...filter }: ReaderFilter & { readonly ttlMs?: number | undefined } = {},
  ): Promise<Result> {
    const expiresAt = ttlMs === undefined ? null : (): string => `greatest(retained_until, ${fromNow(ttlMs)()})`;
    return this.changeEnd(key, { filter, expiresAt });
  }

  /**
   * Takes the pin away: the result is kept as long as it would have been without, which may be over already.
   *
   * @throws DomainError `result.not_found`, `result.failed`, `result.expired`
   */
  unpin(key: ResultKey, filter: ReaderFilter = {}): Promise<Result> {
    return this.changeEnd(key, { filter, expiresAt: () => 'retained_until' });
  }

  /**
   * Removes a result; its file goes after the grace period, its query stays in the history without it.
   *
   * @throws DomainError `result.not_found`; `result.pending` while its file is on its way into the store
   */
  async delete(tenantId: TenantId, id: ResultId, filter: ReaderFilter = {}): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await lockQueryOf(transaction, { tenantId, id });
      const result = await lockFor(transaction, { tenantId, id }, filter);
      const unavailable = resultUnavailable({ status: result.status, error: null });
      if (unavailable?.code === 'result.pending') throw unavailable;
      const where = { tenantId, id: result.queryRunId };
      await updateRow(transaction, QueryRunEntity, { where, set: { resultId: null } });
      await transaction.query('DELETE FROM results WHERE tenant_id = $1 AND id = $2', [tenantId, id]);
      if (result.storageKey) await this.references.release(transaction, tenantId, result.storageKey);
    });
  }

  /** Expires results of all tenants whose time is over; their files go after the grace period. Returns how many. */
  async expireDue(): Promise<number> {
    const expired = await sweep(this.database, {
      find: (manager) => findResults(manager, `status = 'ready' AND expires_at <= now()`),
      end: (transaction, key) => this.expire(transaction, key),
    });
    return expired.length;
  }

  private changeEnd(
    { tenantId, id }: ResultKey,
    { filter, expiresAt }: { readonly filter: ReaderFilter; readonly expiresAt: (() => string) | null },
  ): Promise<Result> {
    return this.database.transaction(async (transaction) => {
      await lockFor(transaction, { tenantId, id }, filter);
      const results = transaction.getRepository(ResultEntity);
      const unavailable = resultUnavailable(await results.findOneByOrFail({ tenantId, id }));
      if (unavailable && unavailable.code !== 'result.pending') throw unavailable;
      await updateRow(transaction, ResultEntity, { where: { tenantId, id }, set: { expiresAt } });
      return results.findOneByOrFail({ tenantId, id });
    });
  }

  private async expire(transaction: Transaction, { tenantId, id }: ResultKey): Promise<ResultKey | undefined> {
    const result = await lockResult(transaction, { tenantId, id });
    if (!result?.expired || result.status !== 'ready' || !result.storageKey) return undefined;
    await transition(transaction, {
      entity: ResultEntity,
      lifecycle: resultLifecycle,
      where: { tenantId, id },
      to: 'expired',
      set: { storageKey: null },
    });
    await this.references.release(transaction, tenantId, result.storageKey);
    return { tenantId, id };
  }
}

/** Locks a result that somebody may change. */
async function lockFor(transaction: Transaction, key: ResultKey, { userId }: ReaderFilter): Promise<LockedResult> {
  const result = await lockResult(transaction, key);
  if (!result || (userId !== undefined && result.userId !== userId)) throw resultNotFound();
  return result;
}

/** Whoever takes both locks takes the query's first. */
async function lockQueryOf(transaction: Transaction, { tenantId, id }: ResultKey): Promise<void> {
  await findRow(
    transaction,
    `SELECT id FROM query_runs WHERE tenant_id = $1 AND id =
       (SELECT query_run_id FROM results WHERE tenant_id = $1 AND id = $2) FOR UPDATE`,
    [tenantId, id],
  );
}
