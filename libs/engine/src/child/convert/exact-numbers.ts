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
  { textFrom, sampleRows }: WidenOptions,
): Promise<readonly SourceColumn[]> {
  const doubles = columns.filter(({ type, isPinned }) => type === 'DOUBLE' && !isPinned).map(({ name }) => name);
  if (doubles.length === 0) return columns;
  const limit = sampleRows === undefined ? '' : ` LIMIT ${sampleRows}`;
  const items = doubles.flatMap((name) => {
    const text = `trim(CAST(${quoteIdentifier(name)} AS VARCHAR))`;
    return [
      `coalesce(bool_and(regexp_full_match(${text}, '[+-]?[0-9]+')), false)`,
      // No FILTER: for each one DuckDB sets memory aside for the inputs of all, which 1,900 columns do not have.
      `coalesce(bool_and(${text} IS NULL OR TRY_CAST(${text} AS HUGEINT) IS NOT NULL), false)`,
    ];
  });
  const rows = `SELECT ${doubles.map(quoteIdentifier).join(', ')} FROM ${textFrom(doubles)}${limit}`;
  const reader = await connection.runAndReadAll(`SELECT ${items.join(', ')} FROM (${rows})`);
  const [facts = []] = reader.getRows();
  const widened = new Map(
    doubles.flatMap((name, index) => {
      const [isInteger, fits] = facts.slice(index * 2);
      return isInteger === true ? [[name, fits === true ? 'HUGEINT' : 'VARCHAR']] : [];
    }),
  );
  return columns.map((column) => ({ ...column, type: widened.get(column.name) ?? column.type }));
}

/** The sentence for a column that stays text although it looked like something else. */
export function keptAsText(name: string): string {
  return `Column "${name}" is kept as text: as a number or time its values would change.`;
}

/** The sentence for a column of fractions that a DOUBLE rounds. */
export function roundedToDouble(name: string): string {
  return `Column "${name}" has numbers of more digits than a DOUBLE keeps: they are rounded. Pin it to DECIMAL to keep them.`;
}
