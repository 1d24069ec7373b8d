import type { QueryAnswer } from '@millrace/contract';
import type { QueryRunId, ResultId } from '@millrace/domain';
import type { InspectAnswer } from '@millrace/engine';
import type { InputTable } from '../inputs/table-resolver.js';
import { columnFields, withRows } from '../rows-json.js';

export interface AnsweredQuery {
  readonly queryRunId: QueryRunId;
  /** Null when nothing is kept. */
  readonly resultId: ResultId | null;
  readonly result: InspectAnswer;
  readonly tables: readonly InputTable[];
  readonly warnings: string[];
  readonly reused?: boolean;
}

/** The answer to a statement, as JSON text. */
export function queryAnswer({ queryRunId, resultId, result, tables, warnings, reused = false }: AnsweredQuery): string {
  const fields: Omit<QueryAnswer, 'rows'> = {
    query_run_id: queryRunId,
    result_id: resultId,
    ...columnFields(result.columns),
    row_count: result.rowsReturned,
    total_row_count: result.rowCount,
    truncated: result.truncated,
    execution_time_ms: result.executionTimeMs,
    reused,
    inputs: tables.map(presentInput),
    warnings,
  };
  return withRows(fields, result.rowsJson);
}

/** An input as the contract shows it. */
export function presentInput({ source }: InputTable): QueryAnswer['inputs'][number] {
  if (source.type === 'result') return { result_id: source.resultId };
  return { dataset_id: source.datasetId, version_id: source.versionId };
}
