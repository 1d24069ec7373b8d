import type { QueryRun } from '@millrace/catalog';
import type { QueryRunBody } from '@millrace/contract';
import { presentError } from '../presenting.js';

/** A query run as the contract shows it. */
export function presentQueryRun(run: QueryRun): QueryRunBody {
  return {
    id: run.id,
    status: run.status,
    sql: run.sql,
    result_id: run.resultId,
    row_count: run.rowCount,
    size_bytes: run.sizeBytes,
    execution_time_ms: run.startedAt && run.endedAt ? run.endedAt.getTime() - run.startedAt.getTime() : null,
    inputs: (run.inputs ?? []).map((input) =>
      'resultId' in input
        ? { result_id: input.resultId }
        : { dataset_id: input.datasetId, version_id: input.versionId },
    ),
    error: presentError(run.error),
    cancel_requested: run.cancelRequestedAt !== null,
    queued_at: run.createdAt.toISOString(),
    started_at: run.startedAt?.toISOString() ?? null,
    finished_at: run.endedAt?.toISOString() ?? null,
  };
}
