import type { DuckDBConnection } from '@duckdb/node-api';
import { type Column, DomainError } from '@millrace/domain';
import { bareStatement, findSecondStatement } from '@millrace/sql';
import type { QueryAnswer, QueryRequest } from '../tasks/query.task.js';
import type { TableInput } from '../tasks/table-input.js';
import { hasNul, uniqueColumnNames } from '../types/column-names.js';
import { quoteIdentifier } from '../types/sql-text.js';
import { type BoundParams, bindParams } from './bind-params.js';
import { readDuckdbError } from './duckdb-error.js';
import { readJsonPage } from './page-reader.js';
import { toStatementError } from './statement-error.js';
import { selectStored } from './table-view.js';
import type { TaskContext } from './task-context.js';
import { copyText, runCopy } from './write-parquet.js';

/** Runs a statement once, into a file, and reads its first rows back. */
export async function runQuery(request: QueryRequest, context: TaskContext): Promise<QueryAnswer> {
  const startedAt = performance.now();
  return withViews(context.connection, request.inputs, async () => {
    const statement = bareStatement(request.sql);
    const params = await prepare(statement, request, context);
    const columns = await describe(statement, params, context);
    const rowCount = await copy(statement, { request, params, columns }, context);
    const page = await readRows(request, columns, context);
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

/** The inputs as views that are gone before the next statement. */
async function withViews<T>(
  connection: DuckDBConnection,
  inputs: readonly TableInput[],
  work: () => Promise<T>,
): Promise<T> {
  const created: string[] = [];
  try {
    for (const { schema, table, files, columns } of inputs) {
      const name = `${schema}.main.${quoteIdentifier(table)}`;
      await connection.run(`CREATE VIEW ${name} AS ${selectStored(files, columns)}`).catch(unreadable);
      created.push(name);
    }
    return await work();
  } finally {
    for (const name of created) await connection.run(`DROP VIEW ${name}`);
  }
}

function unreadable(cause: unknown): never {
  if (readDuckdbError(cause)?.type === 'INTERRUPT') throw cause;
  throw new DomainError('result.corrupt', 'The file of a table can not be read.', { cause });
}

/** Binds the bare statement, so that places in errors are places in the caller's text. */
async function prepare(statement: string, { params }: QueryRequest, { connection }: TaskContext): Promise<BoundParams> {
  // The gate has let one SELECT pass; this process does not rely on it.
  if (findSecondStatement(statement) !== undefined)
    throw new DomainError('sql.not_allowed', 'Exactly one statement is allowed.');
  try {
    const prepared = await connection.prepare(statement);
    if (prepared.statementType !== SELECT_STATEMENT)
      throw new DomainError('sql.not_allowed', 'Only SELECT statements are allowed.');
    return bindParams(params, prepared);
  } catch (error) {
    throw toStatementError(error, { sql: statement, prefixBytes: 0 });
  }
}

/** DuckDB's number for SELECT; the client's own enum is ambient and can't be imported. */
const SELECT_STATEMENT = 1;

/** The columns with their logical types, once the parameters have types. */
async function describe(statement: string, params: BoundParams, context: TaskContext): Promise<Column[]> {
  const columns = await bindColumns(statement, params, context);
  if (!columns.some(hasNul)) return columns;
  throw new DomainError('sql.invalid', 'The name of a column, or of a field in one, has a NUL character.');
}

async function bindColumns(statement: string, params: BoundParams, { connection }: TaskContext): Promise<Column[]> {
  const prefix = 'DESCRIBE ';
  try {
    const reader = await connection.runAndReadAll(`${prefix}${statement}`, params.values, params.types);
    return reader.getRows().map(([name, type]) => ({ name: String(name), type: String(type), nullable: true }));
  } catch (error) {
    throw toStatementError(error, { sql: statement, prefixBytes: Buffer.byteLength(prefix) });
  }
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
  columns: readonly Column[],
  context: TaskContext,
): ReturnType<typeof readJsonPage> {
  const names = uniqueColumnNames(columns.map(({ name }) => name));
  return readJsonPage(context.connection, {
    select: selectStored([context.outputPath], columns),
    columns: columns.map(({ type }, index) => ({ name: names[index] ?? '', type })),
    offset: 0,
    rowsMax: request.rowsMax,
    bytesMax: request.answerBytesMax,
    rowFormat: request.rowFormat,
  });
}
