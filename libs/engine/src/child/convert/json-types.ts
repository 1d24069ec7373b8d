import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier } from '../../types/sql-text.js';
import type { SourceColumn } from './table-source.js';

/** A time of day and behind it an offset from UTC, at the end of a JSON text. */
const OFFSET = String.raw`[0-9]{2}:[0-9]{2}[^"]*(Z|[+-][0-9]{2}(:?[0-9]{2})?)"$`;
/** Wider than needed: what the reader makes of a number column with a negative value. */
const HUGE = /\bHUGEINT\b/g;

export interface JsonReading {
  /** A table of these columns with these types. */
  readonly withTypes: (columns: readonly { name: string; type: string }[]) => string;
}

/**
 * The reader takes whole numbers of both signs for HUGEINT. Where all of them are BIGINTs they become that, at any
 * depth; one file has one answer, because finding out costs a pass over it.
 */
export async function narrowIntegers(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  { withTypes }: JsonReading,
): Promise<readonly SourceColumn[]> {
  const isHuge = ({ type, isPinned }: SourceColumn): boolean => !isPinned && type.search(HUGE) >= 0;
  const huge = columns.filter(isHuge);
  if (huge.length === 0) return columns;
  const narrow = (column: SourceColumn): SourceColumn => ({ ...column, type: column.type.replace(HUGE, 'BIGINT') });
  const counts = huge.map(({ name }) => `count(${quoteIdentifier(name)})`).join(', ');
  try {
    await connection.run(`SELECT ${counts} FROM ${withTypes(huge.map(narrow))}`);
  } catch {
    return columns;
  }
  return columns.map((column) => (isHuge(column) ? narrow(column) : column));
}

/**
 * The reader moves times with an offset to UTC and forgets that they had one. They become TIMESTAMP WITH TIME ZONE,
 * which is the same moment and says so.
 */
export async function keepZones(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  { withTypes }: JsonReading,
): Promise<readonly SourceColumn[]> {
  const times = columns.filter(({ type, isPinned }) => type === 'TIMESTAMP' && !isPinned);
  if (times.length === 0) return columns;
  const items = times.map(({ name }) => {
    const text = `CAST(${quoteIdentifier(name)} AS VARCHAR)`;
    return `coalesce(bool_and(regexp_matches(${text}, '${OFFSET}')) FILTER (${text} <> 'null'), false)`;
  });
  const texts = withTypes(times.map(({ name }) => ({ name, type: 'JSON' })));
  const reader = await connection.runAndReadAll(`SELECT ${items.join(', ')} FROM ${texts}`);
  const [facts = []] = reader.getRows();
  const zoned = new Set(times.filter((_, index) => facts[index] === true).map(({ name }) => name));
  return columns.map((column) => (zoned.has(column.name) ? { ...column, type: 'TIMESTAMP WITH TIME ZONE' } : column));
}
