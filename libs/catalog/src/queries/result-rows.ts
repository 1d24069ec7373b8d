import {
  DomainError,
  type QueryRunId,
  type ResultId,
  type ResultStatus,
  type TenantId,
  type UserId,
} from '@millrace/domain';
import type { Transaction } from '../database/database.js';
import { findRow, rowsOf } from '../database/sql.js';
import { SWEEP_ROWS_MAX } from '../database/sweep.js';

export interface ResultKey {
  readonly tenantId: TenantId;
  readonly id: ResultId;
}

/** What of a result decides whether it may be changed, once nobody else can change it. */
export interface LockedResult {
  readonly userId: UserId;
  readonly queryRunId: QueryRunId;
  readonly status: ResultStatus;
  readonly storageKey: string | null;
  /** Whether its time is over, by the database's clock. */
  readonly expired: boolean;
}

/** Locks the row of a result. */
export function lockResult(transaction: Transaction, { tenantId, id }: ResultKey): Promise<LockedResult | undefined> {
  return findRow<LockedResult>(
    transaction,
    `SELECT user_id AS "userId", query_run_id AS "queryRunId", status, storage_key AS "storageKey",
       coalesce(expires_at <= now(), false) AS expired
     FROM results WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
    [tenantId, id],
  );
}

/**
 * Results of all tenants for a sweeper to look at.
 *
 * @param condition on `results r`
 */
export function findResults(manager: Transaction, condition: string): Promise<ResultKey[]> {
  return rowsOf<ResultKey>(
    manager,
    `SELECT tenant_id AS "tenantId", id FROM results r WHERE ${condition} ORDER BY id LIMIT $1`,
    [SWEEP_ROWS_MAX],
  );
}

/** Also for a result that the caller may not read. */
export function resultNotFound(): DomainError {
  return new DomainError('result.not_found', 'There is no result with this id.');
}
