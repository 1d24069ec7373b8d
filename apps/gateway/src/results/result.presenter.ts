import type { Result } from '@millrace/catalog';
import type { ResultSummaryBody } from '@millrace/contract';
import { presentError } from '../presenting.js';

/** A result without its rows, as lists show it. */
export function presentResult(result: Result): ResultSummaryBody {
  const error = presentError(result.error);
  return {
    result_id: result.id,
    query_run_id: result.queryRunId,
    status: result.status,
    ...(error && { error }),
    columns: result.columns.map((column) => column.name),
    types: result.columns.map((column) => column.type),
    nullable: result.columns.map((column) => column.nullable),
    total_row_count: result.rowCount,
    ...(result.sizeBytes !== null && { size_bytes: result.sizeBytes }),
    created_at: result.createdAt.toISOString(),
    expires_at: result.expiresAt?.toISOString() ?? null,
  };
}
