import type { DuckDBConnection } from '@duckdb/node-api';
import { type Column, DomainError } from '@millrace/domain';
import { hasNul } from '../types/column-names.js';
import type { BoundParams } from './bind-params.js';
import { toStatementError } from './statement-error.js';

/** The columns of a bare SELECT with their logical types, once the parameters have types. */
export async function describeColumns(
  statement: string,
  params: BoundParams,
  connection: DuckDBConnection,
): Promise<Column[]> {
  const columns = await bindColumns(statement, params, connection);
  if (!columns.some(hasNul)) return columns;
  throw new DomainError('sql.invalid', 'The name of a column, or of a field in one, has a NUL character.');
}

async function bindColumns(statement: string, params: BoundParams, connection: DuckDBConnection): Promise<Column[]> {
  const prefix = 'DESCRIBE ';
  try {
    const reader = await connection.runAndReadAll(`${prefix}${statement}`, params.values, params.types);
    return reader.getRows().map(([name, type]) => ({ name: String(name), type: String(type), nullable: true }));
  } catch (error) {
    throw toStatementError(error, { sql: statement, prefixBytes: Buffer.byteLength(prefix) });
  }
}
