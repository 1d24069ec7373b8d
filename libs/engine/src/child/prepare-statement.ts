import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { DomainError } from '@millrace/domain';
import { findSecondStatement } from '@millrace/sql';
import type { JsonValue } from '../tasks/json-value.js';
import type { QueryRequest } from '../tasks/query.task.js';
import { bindParams, type BoundParams } from './bind-params.js';
import { castParams } from './cast-params.js';
import { toStatementError } from './statement-error.js';

/** DuckDB's number for SELECT, DESCRIBE and SUMMARIZE; the client's own enum is ambient and can't be imported. */
const SELECT_STATEMENT = 1;

export interface PreparedStatement {
  /** The bare text. */
  readonly statement: string;
  readonly prepared: DuckDBPreparedStatement;
  readonly params: BoundParams;
}

/**
 * Prepares a bare statement, so that places in errors are places in the caller's text, and binds its parameters.
 *
 * @throws DomainError what is wrong with the statement or its parameters
 */
export async function prepareStatement(
  statement: string,
  given: Pick<QueryRequest, 'params' | 'paramTypes'>,
  connection: DuckDBConnection,
): Promise<PreparedStatement> {
  // The gate has let one SELECT pass; this process does not rely on it.
  if (findSecondStatement(statement) !== undefined)
    throw new DomainError('sql.not_allowed', 'Exactly one statement is allowed.');
  try {
    const prepared = await connection.prepare(statement);
    if (prepared.statementType !== SELECT_STATEMENT)
      throw new DomainError('sql.not_allowed', 'Only SELECT statements are allowed.');
    return { statement, prepared, params: await bind(given, { prepared, connection }) };
  } catch (error) {
    throw toStatementError(error, { sql: statement, prefixBytes: 0 });
  }
}

async function bind(
  { params, paramTypes }: Pick<QueryRequest, 'params' | 'paramTypes'>,
  { prepared, connection }: { readonly prepared: DuckDBPreparedStatement; readonly connection: DuckDBConnection },
): Promise<BoundParams> {
  const bound = bindParams(params, prepared);
  if (!isNamed(params) || paramTypes === undefined || bound.values === undefined) return bound;
  return castParams({ values: params, types: paramTypes }, connection);
}

function isNamed(params: QueryRequest['params']): params is { readonly [name: string]: JsonValue } {
  return params !== undefined && !Array.isArray(params);
}
