import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier } from '../../types/sql-text.js';
import { runLong } from '../long-statement.js';
import type { SourceColumn } from './table-source.js';

const DAY = '[0-9]{4}-[0-9]{2}-[0-9]{2}';
/** To the microsecond, which is as fine as a TIMESTAMP. */
const CLOCK = String.raw`[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?`;
const OFFSET = '(Z|[+-][0-9]{2}(:?[0-9]{2})?)';
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

/** What all texts of a column have to be like for it to become a type, from the strictest to the widest. */
const TIMES: readonly (readonly [type: string, pattern: string])[] = [
  ['DATE', DAY],
  ['TIMESTAMP', `${DAY}(${CLOCK})?`],
  ['TIMESTAMP WITH TIME ZONE', `${DAY}${CLOCK}${OFFSET}`],
];
const SAMPLE_ROWS = 1_000;

/**
 * Columns of texts that are all dates or times become that. The reader is not asked for them: it reads digits behind the
 * microsecond as nothing and an offset as none, and refuses a column that has dates beside times.
 */
export async function findTimes(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  { withTypes }: JsonReading,
): Promise<readonly SourceColumn[]> {
  const texts = columns.filter(({ type, isPinned }) => type === 'VARCHAR' && !isPinned).map(({ name }) => name);
  const look = (names: readonly string[], limit: string): Promise<Map<string, string>> =>
    timesAmong(connection, names, `${withTypes(names.map((name) => ({ name, type: 'VARCHAR' })))}${limit}`);
  const likely = await look(texts, ` LIMIT ${SAMPLE_ROWS}`);
  const found = await look([...likely.keys()], '');
  return columns.map((column) => ({ ...column, type: found.get(column.name) ?? column.type }));
}

/** The columns whose texts are all of one of the types. */
async function timesAmong(
  connection: DuckDBConnection,
  names: readonly string[],
  from: string,
): Promise<Map<string, string>> {
  if (names.length === 0) return new Map();
  const items = names.flatMap((name) => {
    const text = quoteIdentifier(name);
    return TIMES.map(
      ([type, pattern]) =>
        `coalesce(bool_and(regexp_full_match(${text}, '${pattern}') AND TRY_CAST(${text} AS ${type}) IS NOT NULL) FILTER (${text} IS NOT NULL), false)`,
    );
  });
  const selected = names.map(quoteIdentifier).join(', ');
  const reader = await runLong(connection, `SELECT ${items.join(', ')} FROM (SELECT ${selected} FROM ${from})`);
  const [facts = []] = reader.getRows();
  const types = names.map((_, index) => TIMES.find((__, time) => facts[index * TIMES.length + time] === true)?.[0]);
  return new Map(names.flatMap((name, index) => (types[index] === undefined ? [] : [[name, types[index]]])));
}
