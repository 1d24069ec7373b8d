import { type Column, DomainError } from '@millrace/domain';
import { bareStatement } from '@millrace/sql';
import type { QueryAnswer, QueryRequest } from '../tasks/query.task.js';
import { namedColumns } from '../types/named-columns.js';
import type { BoundParams } from './bind-params.js';
import { columnsOf } from './describe-columns.js';
import { withViews } from './input-views.js';
import { readJsonPage } from './page-reader.js';
import { prepareStatement } from './prepare-statement.js';
import { toStatementError } from './statement-error.js';
import type { TaskContext } from './task-context.js';
import { copyText, runCopy } from './write-parquet.js';

/** Runs a statement once, into a file, and reads its first rows back. */
export async function runQuery(request: QueryRequest, context: TaskContext): Promise<QueryAnswer> {
  const startedAt = performance.now();
  return withViews(context.connection, request.inputs, async () => {
    const prepared = await prepareStatement(bareStatement(request.sql), request, context.connection);
    const columns = await columnsOf(prepared, context.connection);
    const { statement, params } = prepared;
    context.phases.enter('execute');
    const rowCount = await copy(statement, { request, params, columns }, context);
    context.phases.enter('read');
    const page = await readRows(request, { columns, rowCount }, context);
    return {
      columns,
      rowCount,
      rowsJson: page.rowsJson,
      rowsReturned: page.rowsReturned,
      truncated: page.rowsReturned < rowCount,
      executionTimeMs: Math.round(performance.now() - startedAt),
    };
  });
}

interface CopyRequest {
  readonly request: QueryRequest;
  readonly params: BoundParams;
  readonly columns: readonly Column[];
}

async function copy(
  statement: string,
  { request, params, columns }: CopyRequest,
  context: TaskContext,
): Promise<number> {
  const { text, prefixBytes } = copyText(statement, columns, context.outputPath);
  const rowCount = await runCopy(context, { text, params, bytesMax: request.resultBytesMax }).catch(
    (error: unknown) => {
      throw toStatementError(error, { sql: statement, prefixBytes });
    },
  );
  if (rowCount !== 'too_large') return rowCount;
  throw new DomainError('query.result_too_large', `The result is larger than ${request.resultBytesMax} bytes.`);
}

async function readRows(
  request: QueryRequest,
  { columns, rowCount }: { readonly columns: readonly Column[]; readonly rowCount: number },
  context: TaskContext,
): ReturnType<typeof readJsonPage> {
  return readJsonPage(context.connection, {
    files: [context.outputPath],
    columns: namedColumns(columns),
    offset: 0,
    rowCount,
    rowsMax: request.rowsMax,
    bytesMax: request.answerBytesMax,
    rowFormat: request.rowFormat,
  });
}
