import type { NamedColumn } from '../../types/named-columns.js';
import { quoteLiteral } from '../../types/sql-text.js';
import { runLong } from '../long-statement.js';
import { selectColumns } from '../table-view.js';
import type { TaskContext } from '../task-context.js';
import type { TextFormat } from './text-format.js';

export interface CopiedRows {
  readonly files: readonly string[];
  readonly columns: readonly NamedColumn[];
  readonly offset?: number | undefined;
  /** Rows, at most; all when absent. */
  readonly limit?: number | undefined;
  readonly format: TextFormat;
}

/** Lets DuckDB write rows into the task's pipe; tells how many. */
export async function copyRows(
  { files, columns, offset, limit, format }: CopiedRows,
  { connection, outputPath }: TaskContext,
): Promise<number> {
  const range = `${limit === undefined ? '' : ` LIMIT ${limit}`}${offset === undefined ? '' : ` OFFSET ${offset}`}`;
  const rows = `${selectColumns(files, columns)}${range}`;
  const target = `${quoteLiteral(outputPath)} (${format.copyOptions}, COMPRESSION none, USE_TMP_FILE false)`;
  const reader = await runLong(connection, `COPY (SELECT ${format.copyItems(columns)} FROM (${rows})) TO ${target}`);
  return Number(reader.getRows()[0]?.[0]);
}
