import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier } from '../../types/sql-text.js';
import { runLong } from '../long-statement.js';
import { conversionFailed } from './conversion-error.js';
import { castOf, changedCondition, isCastFromText, roundedCondition, type TextRules } from './exactness.js';
import type { SourceColumn } from './table-source.js';

export interface TextTable extends TextRules {
  /** A table of the same columns as text. */
  readonly from: string;
  /** Whether a text that is no value of a pinned type at all is refused here; else the reader does, and knows its line. */
  readonly refusesAll: boolean;
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
 * The columns in which some text means more than its type holds. Finding them takes one pass over the texts.
 *
 * @throws DomainError `conversion.failed` for a pinned column, which can't be widened
 */
export async function findInexact(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  table: TextTable,
): Promise<Inexact> {
  const changes = columns.flatMap((column) => checkOf(column, refusedCondition(column, table)));
  const roundings = columns.flatMap((column) => checkOf(column, roundedCondition(column, table)));
  const found = new Set(await whereSome(connection, [...changes, ...roundings], table));
  const changed = changes.filter((check) => found.has(check));
  const pinned = changed.filter(({ column }) => column.isPinned);
  await refusePinned(connection, pinned, table);
  const open = changed.filter(({ column }) => !column.isPinned);
  const names = namesOf(open);
  const rounded = roundings.filter((check) => found.has(check) && !names.has(check.column.name));
  return { changed: names, rounded: namesOf(rounded) };
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

/** An expression holds a chunk of rows for each of its steps: those of 1,900 columns at once need more than 1 GB. */
const CHECKS_PER_PASS_MAX = 200;

/** The checks whose condition holds for some row. */
async function whereSome(
  connection: DuckDBConnection,
  checks: readonly ColumnCheck[],
  { from }: TextTable,
): Promise<ColumnCheck[]> {
  const found: ColumnCheck[] = [];
  for (let start = 0; start < checks.length; start += CHECKS_PER_PASS_MAX) {
    const some = checks.slice(start, start + CHECKS_PER_PASS_MAX);
    const items = some.map(({ condition }) => `coalesce(bool_or(${condition}), false)`);
    const reader = await runLong(connection, `SELECT ${items.join(', ')} FROM ${from}`);
    const [facts = []] = reader.getRows();
    found.push(...some.filter((_, index) => facts[index] === true));
  }
  return found;
}

function refusedCondition(column: SourceColumn, table: TextTable): string | undefined {
  const inexact = changedCondition(column, table);
  const isRefusedHere = isCastFromText(column, table) || (column.isPinned && table.refusesAll);
  if (!isRefusedHere) return inexact;
  const isNone = `${castOf(column, table)} IS NULL`;
  const isRefused = inexact === undefined ? isNone : `(${isNone} OR ${inexact})`;
  return `${quoteIdentifier(column.name)} IS NOT NULL AND ${isRefused}`;
}

/** What is no value of its type is left to the reader, where it knows the line. */
async function refusePinned(
  connection: DuckDBConnection,
  pinned: readonly ColumnCheck[],
  table: TextTable,
): Promise<void> {
  const ours = pinned.filter(({ column }) => table.refusesAll || isCastFromText(column, table));
  const castable = pinned.map(({ column, condition }) => ({
    column,
    condition: `${condition} AND ${castOf(column, table)} IS NOT NULL`,
  }));
  const [first] = ours.length > 0 ? ours : await whereSome(connection, castable, table);
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
  const message = `Column "${name}": "${text.slice(0, 200)}" is no ${type}.`;
  return conversionFailed(message, { line, columnName: name, text });
}
