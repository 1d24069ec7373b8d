import {
  DomainError,
  uniqueColumnNames,
  type Column,
  type ResultId,
  type TenantId,
  type UserId,
} from '@millrace/domain';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Transaction } from '../database/database.js';
import { lockResult, resultNotFound } from '../queries/result-rows.js';
import { resultUnavailable } from '../queries/result-unavailable.js';
import { ResultEntity } from '../schema/result.entity.js';
import type { StoredTable } from './dataset-rows.js';

export interface ResultClaim {
  readonly tenantId: TenantId;
  readonly resultId: ResultId;
  /** Only a result of this user may be used; admins name nobody. */
  readonly onlyUserId?: UserId | undefined;
}

/**
 * Takes one more reference to the file of a result, which is a table from here on, whatever becomes of the result. No byte
 * is copied. The row of the result stays locked until the end of the transaction.
 *
 * @throws DomainError `result.not_found`, `result.pending`, `result.failed`, `result.expired`, `storage.object_missing`
 */
export async function takeResultTable(
  transaction: Transaction,
  references: BlobReferences,
  { tenantId, resultId: id, onlyUserId }: ResultClaim,
): Promise<StoredTable> {
  const locked = await lockResult(transaction, { tenantId, id });
  if (!locked || (onlyUserId !== undefined && locked.userId !== onlyUserId)) throw resultNotFound();
  const result = await transaction.getRepository(ResultEntity).findOneByOrFail({ tenantId, id });
  const unavailable = resultUnavailable(result);
  if (unavailable) throw unavailable;
  const { storageKey, sizeBytes, columns, rowCount } = result;
  if (storageKey === null || sizeBytes === null || !(await references.takeAll(transaction, tenantId, [storageKey]))) {
    throw new DomainError('storage.object_missing', 'The file of the result is missing. Run the query again.');
  }
  return {
    columns: columnsOfTable(columns),
    rowCount,
    sizeBytes,
    statistics: { format: 'parquet', compression: 'none', warnings: [] },
    files: [{ storageKey, rowCount }],
  };
}

/** A result may name two columns alike. Those of a table have the names that SQL knows them by, which are the file's, too. */
function columnsOfTable(columns: readonly Column[]): Column[] {
  const names = uniqueColumnNames(columns.map(({ name }) => name));
  return columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }));
}
