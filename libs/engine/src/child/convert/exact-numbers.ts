import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier } from '../../types/sql-text.js';
import type { SourceColumn } from './table-source.js';

/** Digits in a row that HUGEINT always holds. */
const HUGEINT_DIGITS = 38;
/** A double written and read again needs at most 17 digits; more than that are lost. */
const DOUBLE_DIGITS = 17;

export interface RefineOptions {
  /** A table of these columns with the text of the file in each. */
  readonly textFrom: (names: readonly string[]) => string;
  /** Rows to look at; undefined: all. */
  readonly sampleRows: number | undefined;
}

/**
 * Readers take a number that is no BIGINT for a DOUBLE, which rounds long ones. A column of long integers becomes a
 * HUGEINT; one with long fractions stays, with a warning.
 */
export async function refineDoubles(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  { textFrom, sampleRows }: RefineOptions,
): Promise<{ columns: readonly SourceColumn[]; warnings: string[] }> {
  const doubles = columns.filter(({ type, isPinned }) => type === 'DOUBLE' && !isPinned).map(({ name }) => name);
  if (doubles.length === 0) return { columns, warnings: [] };
  const limit = sampleRows === undefined ? '' : ` LIMIT ${sampleRows}`;
  const items = doubles.flatMap((name) => {
    const text = `CAST(${quoteIdentifier(name)} AS VARCHAR)`;
    const digits = `length(regexp_extract(${text}, '^[+-]?0*([0-9]*\\.?[0-9]*)', 1).replace('.', '').ltrim('0'))`;
    return [
      `coalesce(bool_and(regexp_full_match(trim(${text}), '[+-]?[0-9]{1,${HUGEINT_DIGITS}}')), false)`,
      `coalesce(max(${digits}), 0)`,
    ];
  });
  const rows = `SELECT ${doubles.map(quoteIdentifier).join(', ')} FROM ${textFrom(doubles)}${limit}`;
  const reader = await connection.runAndReadAll(`SELECT ${items.join(', ')} FROM (${rows})`);
  const [facts = []] = reader.getRows();
  const isInteger = new Map(doubles.map((name, index) => [name, facts[index * 2] === true]));
  const tooLong = doubles.filter((name, index) => !isInteger.get(name) && Number(facts[index * 2 + 1]) > DOUBLE_DIGITS);
  return {
    columns: columns.map((column) => (isInteger.get(column.name) ? { ...column, type: 'HUGEINT' } : column)),
    warnings: tooLong.map(
      (name) =>
        `Column "${name}" has numbers of more than ${DOUBLE_DIGITS} digits, which are rounded to DOUBLE. Pin it to DECIMAL to keep them.`,
    ),
  };
}
