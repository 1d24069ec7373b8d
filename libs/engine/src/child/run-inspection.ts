import type { Column } from '@millrace/domain';
import { bareStatement, type ExplainOptions } from '@millrace/sql';
import type { InspectAnswer, InspectRequest } from '../tasks/inspect.task.js';
import { jsonRowExpression, type RowFormat } from '../types/json-encoding.js';
import type { BoundParams } from './bind-params.js';
import { describeColumns } from './describe-columns.js';
import { withViews } from './input-views.js';
import { withNamedInputs } from './named-inputs.js';
import { prepareStatement } from './prepare-statement.js';
import { toStatementError } from './statement-error.js';
import type { TaskContext } from './task-context.js';

interface BoundStatement {
  readonly statement: string;
  readonly params: BoundParams;
  readonly rowFormat: RowFormat;
}

/** Rows as JSON texts, and the columns that they have. */
interface Rows {
  readonly columns: readonly Column[];
  readonly rows: readonly string[];
}

/** Answers EXPLAIN, DESCRIBE and SUMMARIZE. */
export async function runInspection(request: InspectRequest, context: TaskContext): Promise<InspectAnswer> {
  const startedAt = performance.now();
  const { explain } = request;
  const rows = await withNamedInputs(context.scratchDir, request.inputs, (inputs) =>
    withViews(context.connection, inputs, async () => {
      const text = bareStatement(request.sql);
      const { statement, params } = await prepareStatement(text, request, context.connection);
      const bound = { statement, params, rowFormat: request.rowFormat ?? 'arrays' };
      return explain ? explainStatement(bound, explain, context) : readAll(bound, context);
    }),
  );
  return toAnswer(rows, request, Math.round(performance.now() - startedAt));
}

const PLAN_COLUMNS: readonly Column[] = ['explain_key', 'explain_value'].map((name) => ({
  name,
  type: 'VARCHAR',
  nullable: true,
}));

/** The word EXPLAIN is ours, and so are its options; a plan is text only. */
async function explainStatement(
  { statement, params, rowFormat }: BoundStatement,
  explain: ExplainOptions,
  { connection }: TaskContext,
): Promise<Rows> {
  const prefix = `EXPLAIN (${explain.analyze ? 'ANALYZE, ' : ''}FORMAT ${explain.format}) `;
  // What ran is shown with its plan: without the blanks where the caller's own EXPLAIN stood.
  const shown = statement.trimStart();
  const prefixBytes = Buffer.byteLength(prefix) - Buffer.byteLength(statement.slice(0, -shown.length));
  try {
    const reader = await connection.runAndReadAll(`${prefix}${shown}`, params.values, params.types);
    const rows = rowFormat === 'arrays' ? reader.getRows() : reader.getRowObjects();
    return { columns: PLAN_COLUMNS, rows: rows.map((row) => JSON.stringify(row)) };
  } catch (error) {
    throw toStatementError(error, { sql: statement, prefixBytes });
  }
}

/** Runs DESCRIBE or SUMMARIZE once; there is one row for each column of what it tells of. */
async function readAll({ statement, params, rowFormat }: BoundStatement, { connection }: TaskContext): Promise<Rows> {
  const from = 'FROM (\n';
  const columns = await describeColumns(`${from}${statement}\n)`, params, connection);
  const prefix = `SELECT ${jsonRowExpression(columns, rowFormat)} ${from}`;
  try {
    const reader = await connection.runAndReadAll(`${prefix}${statement}\n)`, params.values, params.types);
    return { columns, rows: reader.getRows().map(([row]) => String(row)) };
  } catch (error) {
    throw toStatementError(error, { sql: statement, prefixBytes: Buffer.byteLength(prefix) });
  }
}

function toAnswer({ columns, rows }: Rows, request: InspectRequest, executionTimeMs: number): InspectAnswer {
  let bytes = 2;
  const isWithin = (row: string): boolean => (bytes += Buffer.byteLength(row) + 1) <= request.answerBytesMax;
  const first = rows.slice(0, request.rowsMax);
  const end = first.findIndex((row) => !isWithin(row));
  const returned = end < 0 ? first : first.slice(0, end);
  return {
    columns,
    rowCount: rows.length,
    rowsJson: `[${returned.join(',')}]`,
    rowsReturned: returned.length,
    truncated: returned.length < rows.length,
    executionTimeMs,
  };
}
