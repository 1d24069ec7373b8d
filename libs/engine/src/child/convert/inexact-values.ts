import type { DuckDBConnection } from '@duckdb/node-api';
import { parseDuckdbType } from '../../types/duckdb-type.js';
import { quoteIdentifier } from '../../types/sql-text.js';
import { conversionFailed } from './conversion-error.js';
import type { SourceColumn } from './table-source.js';

/** The types of a sample would change values that come behind it. */
export class SampleMisledError extends Error {}

const INTEGERS: ReadonlySet<string> = new Set([
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'HUGEINT',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
  'UBIGINT',
  'UHUGEINT',
]);

export interface TextTable {
  /** A table of the same columns as text. */
  readonly from: string;
  /** Whether dates are read by a format, which takes nothing beyond it. */
  readonly hasDateFormat: boolean;
  /** The line in the file of a row, from 1, that holds a text. */
  readonly lineOf: (row: number, text: string) => Promise<number | undefined>;
}

/**
 * The columns in which some text means more than its type holds. The CSV reader changes such values without a word:
 * measured on DuckDB 1.5.6, BIGINT takes "2.5" as 3 and "007" as 7, DATE drops a time, TIME and TIMESTAMP drop an offset and
 * digits behind the microsecond, DECIMAL rounds. One pass over the texts costs a fifth of a conversion.
 *
 * @throws DomainError `conversion.failed` for a pinned column, which can't be widened
 */
export async function findInexact(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  table: TextTable,
): Promise<Set<string>> {
  const suspicions = columns.flatMap((column) => {
    const condition = inexactCondition(column, table);
    return condition === undefined ? [] : [{ column, condition }];
  });
  const suspects = await whereSome(connection, suspicions, table);
  // A text that is no value of the type at all is left to the reader, which knows its line.
  const castable = suspects.map(({ column, condition }) => ({
    column,
    condition: `${condition} AND TRY_CAST(${quoteIdentifier(column.name)} AS ${column.type}) IS NOT NULL`,
  }));
  const inexact = await whereSome(connection, castable, table);
  const pinned = inexact.find(({ column }) => column.isPinned);
  if (pinned) throw await pinnedError(connection, pinned, table);
  return new Set(inexact.map(({ column }) => column.name));
}

interface ColumnCheck {
  readonly column: SourceColumn;
  /** An SQL condition on the column's text. */
  readonly condition: string;
}

/** The checks whose condition holds for some row. */
async function whereSome(
  connection: DuckDBConnection,
  checks: readonly ColumnCheck[],
  { from }: TextTable,
): Promise<ColumnCheck[]> {
  if (checks.length === 0) return [];
  const items = checks.map(({ condition }) => `coalesce(bool_or(${condition}), false)`);
  const reader = await connection.runAndReadAll(`SELECT ${items.join(', ')} FROM ${from}`);
  const [found = []] = reader.getRows();
  return checks.filter((_, index) => found[index] === true);
}

function inexactCondition({ name, type, isPinned }: SourceColumn, { hasDateFormat }: TextTable): string | undefined {
  const text = quoteIdentifier(name);
  const has = (part: string): string => `contains(${text}, '${part}')`;
  const tree = parseDuckdbType(type);
  if (tree.kind === 'decimal') {
    return `(${has('.')} AND length(rtrim(${text}, '0 ')) - instr(${text}, '.') > ${tree.scale})`;
  }
  if (INTEGERS.has(type)) {
    // A leading zero is part of a code; whoever pins a number does not want it.
    const digits = isPinned ? '[0-9]+' : '(0|[1-9][0-9]*)';
    return `NOT regexp_full_match(${text}, '\\s*[+-]?${digits}\\s*')`;
  }
  switch (type) {
    case 'DATE':
      return hasDateFormat ? undefined : has(':');
    case 'TIME':
      return `(${has('+')} OR ${has('-')} OR length(trim(${text})) > 15)`;
    case 'TIMESTAMP':
      return `(contains(substr(${text}, 12), '+') OR contains(substr(${text}, 12), '-') OR regexp_matches(${text}, '\\.[0-9]{7}'))`;
    default:
      return undefined;
  }
}

async function pinnedError(
  connection: DuckDBConnection,
  { column, condition }: ColumnCheck,
  { from, lineOf }: TextTable,
): Promise<Error> {
  const { name, type } = column;
  const numbered = `SELECT ${quoteIdentifier(name)}, row_number() OVER () AS data_row FROM ${from}`;
  const reader = await connection.runAndReadAll(`SELECT * FROM (${numbered}) WHERE ${condition} LIMIT 1`);
  const [value, row] = reader.getRows()[0] ?? [];
  const text = String(value);
  const line = await lineOf(Number(row), text);
  const message = `Column "${name}": "${text.slice(0, 200)}" is no ${type} without a change.`;
  return conversionFailed(message, { line, columnName: name, text });
}
