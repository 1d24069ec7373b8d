import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier } from '../../types/sql-text.js';
import type { SourceColumn } from './table-source.js';

export interface WidenOptions {
  /** A table of these columns with the text of the file in each. */
  readonly textFrom: (names: readonly string[]) => string;
  /** Rows to look at; undefined: all. */
  readonly sampleRows: number | undefined;
}

/**
 * Readers take an integer that is no BIGINT for a DOUBLE, which rounds it. A column of nothing but integers becomes a
 * HUGEINT; where that does not hold all of them, it stays text.
 */
export async function widenIntegers(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  options: WidenOptions,
): Promise<readonly SourceColumn[]> {
  const doubles = columns.filter(({ type, isPinned }) => type === 'DOUBLE' && !isPinned).map(({ name }) => name);
  // The first rows tell most columns of fractions from those that are worth a look at all rows.
  const first = { ...options, sampleRows: FIRST_ROWS, conditionOf: isInteger, holdsOfNone: true };
  const likely = await whereAll(connection, doubles, first);
  const integers = await whereAll(connection, likely, { ...options, conditionOf: isInteger });
  const fitting = new Set(await whereAll(connection, integers, { ...options, conditionOf: fitsHugeint }));
  const widened = new Map(integers.map((name) => [name, fitting.has(name) ? 'HUGEINT' : 'VARCHAR']));
  return columns.map((column) => ({ ...column, type: widened.get(column.name) ?? column.type }));
}

const FIRST_ROWS = 1_000;

/** Most doubles have a point: no more than that is looked at. */
const isInteger = (text: string): string =>
  `CASE WHEN contains(${text}, '.') THEN false ELSE regexp_full_match(${text}, '\\s*[+-]?[0-9]+\\s*') END`;

/** A cast that fails is dear: only columns of integers are asked. */
const fitsHugeint = (text: string): string => `TRY_CAST(${text} AS HUGEINT) IS NOT NULL`;

interface Question extends WidenOptions {
  readonly conditionOf: (text: string) => string;
  /** What is said of a column without a text. */
  readonly holdsOfNone?: boolean;
}

/** The columns whose texts, as far as there are any, all meet a condition. */
async function whereAll(
  connection: DuckDBConnection,
  names: readonly string[],
  { textFrom, sampleRows, conditionOf, holdsOfNone = false }: Question,
): Promise<string[]> {
  if (names.length === 0) return [];
  const limit = sampleRows === undefined ? '' : ` LIMIT ${sampleRows}`;
  // No FILTER: for each one DuckDB sets memory aside for the inputs of all, which 1,900 columns do not have.
  const items = names.map((name) => {
    const text = quoteIdentifier(name);
    return `coalesce(bool_and(CASE WHEN ${text} IS NULL THEN NULL ELSE ${conditionOf(text)} END), ${holdsOfNone})`;
  });
  const rows = `SELECT ${names.map(quoteIdentifier).join(', ')} FROM ${textFrom(names)}${limit}`;
  const reader = await connection.runAndReadAll(`SELECT ${items.join(', ')} FROM (${rows})`);
  const [facts = []] = reader.getRows();
  return names.filter((_, index) => facts[index] === true);
}

/** The sentence for a column that stays text although it looked like something else. */
export function keptAsText(name: string): string {
  return `Column "${name}" is kept as text: as a number or time its values would change.`;
}

/** The sentence for a column of fractions that a DOUBLE rounds. */
export function roundedToDouble(name: string): string {
  return `Column "${name}" has numbers of more digits than a DOUBLE keeps: they are rounded. Pin it to DECIMAL to keep them.`;
}
