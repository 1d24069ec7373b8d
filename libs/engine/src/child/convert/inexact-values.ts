import type { DuckDBConnection } from '@duckdb/node-api';
import { parseDuckdbType } from '../../types/duckdb-type.js';
import { quoteIdentifier, quoteLiteral } from '../../types/sql-text.js';
import { runLong } from '../long-statement.js';
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

/** A double written and read again needs at most 17 digits; more than that are lost. */
const DOUBLE_DIGITS = 17;

export interface TextTable {
  /** A table of the same columns as text. */
  readonly from: string;
  /** Whether numbers have a decimal comma. */
  readonly hasDecimalComma: boolean;
  /** How dates are read, which takes nothing beyond it; undefined: as they come. */
  readonly dateFormat: string | undefined;
  readonly timestampFormat: string | undefined;
  /** The line in the file of a row, from 1, that holds a text. */
  readonly lineOf: (row: number, text: string) => Promise<number | undefined>;
}

/** The columns whose values a reader would change. */
export interface Inexact {
  /** Text is the only type that keeps them. */
  readonly changed: ReadonlySet<string>;
  /** Fractions of more digits than a DOUBLE has. */
  readonly rounded: ReadonlySet<string>;
}

/**
 * The columns in which some text means more than its type holds. The readers change such values without a word:
 * measured on DuckDB 1.5.6, BIGINT takes "2.5" as 3 and "007" as 7, DATE drops a time, TIME and TIMESTAMP drop an offset and
 * digits behind the microsecond, DECIMAL rounds, DOUBLE takes "1e400" as infinite. One pass over the texts costs a fifth
 * of a conversion.
 *
 * @throws DomainError `conversion.failed` for a pinned column, which can't be widened
 */
export async function findInexact(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  table: TextTable,
): Promise<Inexact> {
  const changes = columns.flatMap((column) => checkOf(column, inexactCondition(column, table)));
  const roundings = columns.flatMap((column) => checkOf(column, roundedCondition(column, table)));
  const found = new Set(await whereSome(connection, [...changes, ...roundings], table));
  const changed = changes.filter((check) => found.has(check));
  await refusePinned(connection, changed, table);
  const open = changed.filter(({ column }) => !column.isPinned);
  return { changed: namesOf(open), rounded: namesOf(roundings.filter((check) => found.has(check))) };
}

interface ColumnCheck {
  readonly column: SourceColumn;
  /** An SQL condition on the column's text. */
  readonly condition: string;
}

const checkOf = (column: SourceColumn, condition: string | undefined): ColumnCheck[] =>
  condition === undefined ? [] : [{ column, condition }];

const namesOf = (checks: readonly ColumnCheck[]): ReadonlySet<string> =>
  new Set(checks.map(({ column }) => column.name));

/** The checks whose condition holds for some row. */
async function whereSome(
  connection: DuckDBConnection,
  checks: readonly ColumnCheck[],
  { from }: TextTable,
): Promise<ColumnCheck[]> {
  if (checks.length === 0) return [];
  const items = checks.map(({ condition }) => `coalesce(bool_or(${condition}), false)`);
  const reader = await runLong(connection, `SELECT ${items.join(', ')} FROM ${from}`);
  const [found = []] = reader.getRows();
  return checks.filter((_, index) => found[index] === true);
}

function inexactCondition(column: SourceColumn, table: TextTable): string | undefined {
  const { name, type, isPinned } = column;
  const text = quoteIdentifier(name);
  const number = numberOf(column, table);
  const tree = parseDuckdbType(type);
  if (tree.kind === 'decimal') {
    return `(contains(${number}, '.') AND length(rtrim(${number}, '0 ')) - instr(${number}, '.') > ${tree.scale})`;
  }
  if (INTEGERS.has(type)) {
    // A leading zero is part of a code; whoever pins a number does not want it.
    const digits = isPinned ? '[0-9]+' : '(0|[1-9][0-9]*)';
    return `NOT regexp_full_match(${text}, '\\s*[+-]?${digits}\\s*')`;
  }
  switch (type) {
    case 'DOUBLE':
    case 'FLOAT':
      return `(isinf(TRY_CAST(${number} AS ${type})) AND regexp_matches(${number}, '[0-9]'))`;
    case 'DATE':
      if (table.dateFormat === undefined) return `contains(${text}, ':')`;
      return isPinned ? undefined : `try_strptime(${text}, ${quoteLiteral(table.dateFormat)}) IS NULL`;
    case 'TIME':
      return `(contains(${text}, '+') OR contains(${text}, '-') OR length(trim(${text})) > 15)`;
    case 'TIMESTAMP':
      if (table.timestampFormat === undefined) {
        return `(contains(substr(${text}, 12), '+') OR contains(substr(${text}, 12), '-') OR regexp_matches(${text}, '\\.[0-9]{7}'))`;
      }
      return isPinned ? undefined : `try_strptime(${text}, ${quoteLiteral(table.timestampFormat)}) IS NULL`;
    default:
      return undefined;
  }
}

/** Whoever pins a DOUBLE knows that it rounds. */
function roundedCondition(column: SourceColumn, table: TextTable): string | undefined {
  if (column.type !== 'DOUBLE' || column.isPinned) return undefined;
  const digits = `regexp_extract(${numberOf(column, table)}, '^[+-]?0*([0-9]*\\.?[0-9]*)', 1).replace('.', '').ltrim('0')`;
  return `length(${digits}) > ${DOUBLE_DIGITS}`;
}

function numberOf({ name }: SourceColumn, { hasDecimalComma }: TextTable): string {
  const text = quoteIdentifier(name);
  return hasDecimalComma ? `replace(${text}, ',', '.')` : text;
}

/** A text that is no value of a pinned type at all is left to the reader, which knows its line. */
async function refusePinned(
  connection: DuckDBConnection,
  checks: readonly ColumnCheck[],
  table: TextTable,
): Promise<void> {
  const pinned = checks.filter(({ column }) => column.isPinned);
  const castable = pinned.map(({ column, condition }) => ({
    column,
    condition: `${condition} AND TRY_CAST(${numberOf(column, table)} AS ${column.type}) IS NOT NULL`,
  }));
  const [first] = await whereSome(connection, castable, table);
  if (first) throw await pinnedError(connection, first, table);
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
