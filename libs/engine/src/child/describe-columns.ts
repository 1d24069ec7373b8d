import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { type Column, DomainError } from '@millrace/domain';
import { hasNul } from '../types/has-nul.js';
import type { BoundParams } from './bind-params.js';
import type { PreparedStatement } from './prepare-statement.js';
import { toStatementError } from './statement-error.js';

/** Types whose names the client writes as DuckDB does. It writes JSON as VARCHAR, and names of fields otherwise. */
const SAME_NAME =
  /^(BOOLEAN|U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|BLOB|UUID|DATE|TIME|INTERVAL|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?)$/;

/**
 * The columns of a prepared SELECT with their logical types. It knows them itself when they are plain and no parameter
 * decides them; otherwise DuckDB binds it once more.
 *
 * @throws DomainError `sql.*` what is wrong with the statement
 */
export async function columnsOf(
  { statement, prepared, params }: PreparedStatement,
  connection: DuckDBConnection,
): Promise<Column[]> {
  const known = params.values === undefined ? knownColumns(prepared) : undefined;
  return known ? refuseNul(known) : describeColumns(statement, params, connection);
}

/** The columns of a bare SELECT with their logical types, once the parameters have types. */
export async function describeColumns(
  statement: string,
  params: BoundParams,
  connection: DuckDBConnection,
): Promise<Column[]> {
  return refuseNul(await bindColumns(statement, params, connection));
}

function knownColumns(prepared: DuckDBPreparedStatement): Column[] | undefined {
  const columns: Column[] = [];
  for (let index = 0; index < prepared.columnCount; index += 1) {
    const type = plainType(prepared, index);
    if (type === undefined) return undefined;
    columns.push({ name: prepared.columnName(index), type, nullable: true });
  }
  return columns;
}

/** The client throws for a type that it does not know at all. */
function plainType(prepared: DuckDBPreparedStatement, index: number): string | undefined {
  try {
    const type = prepared.columnType(index);
    const name = type.toString();
    return type.alias === undefined && SAME_NAME.test(name) ? name : undefined;
  } catch {
    return undefined;
  }
}

function refuseNul(columns: Column[]): Column[] {
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
