import type { DuckDBConnection } from '@duckdb/node-api';
import { replaceScalar } from '../../types/replace-scalar.js';
import { quoteIdentifier } from '../../types/sql-text.js';
import type { SourceColumn } from './table-source.js';

const DAY = '[0-9]{4}-[0-9]{2}-[0-9]{2}';
/** To the microsecond, which is as fine as a TIMESTAMP. */
const CLOCK = String.raw`[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?`;
const OFFSET = '(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)';

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
  const narrow = (column: SourceColumn): SourceColumn =>
    column.isPinned ? column : { ...column, type: replaceScalar(column.type, { from: 'HUGEINT', to: 'BIGINT' }) };
  const huge = columns.filter((column) => narrow(column).type !== column.type);
  if (huge.length === 0) return columns;
  const counts = huge.map(({ name }) => `count(${quoteIdentifier(name)})`).join(', ');
  try {
    await connection.run(`SELECT ${counts} FROM ${withTypes(huge.map(narrow))}`);
  } catch {
    return columns;
  }
  return columns.map(narrow);
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
  const likely = await likelyTimes(connection, columns, { withTypes });
  const names = [...likely.keys()];
  const found = await timesAmong(connection, names, withTypes(names.map(asText)));
  return columns.map((column) => ({ ...column, type: found.get(column.name) ?? column.type }));
}

/** The columns whose texts in the first rows are all of one of the types, and that type. */
export async function likelyTimes(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
  { withTypes }: JsonReading,
): Promise<Map<string, string>> {
  const names = columns.filter(({ type, isPinned }) => type === 'VARCHAR' && !isPinned).map(({ name }) => name);
  return timesAmong(connection, names, `${withTypes(names.map(asText))} LIMIT ${SAMPLE_ROWS}`);
}

const asText = (name: string): { name: string; type: string } => ({ name, type: 'VARCHAR' });

/**
 * A text that was cast to such a type: an error where it is none, as `findTimes` would have it. Most are what the value
 * is when it is written to the second; only the others are held to the pattern.
 *
 * @param text an expression, and `value` what TRY_CAST made of it
 */
export function timeOf({ text, value, type }: { text: string; value: string; type: string }): string {
  const pattern = TIMES.find(([name]) => name === type)?.[1] ?? '';
  const length = PLAIN_LENGTHS.get(type);
  const isPlain =
    length === undefined ? 'false' : `strlen(${text}) = ${length} AND CAST(${value} AS VARCHAR) = ${text}`;
  const isTime = `${value} IS NOT NULL AND regexp_full_match(${text}, '${pattern}')`;
  return `CASE WHEN ${isPlain} OR ${text} IS NULL THEN ${value} WHEN ${isTime} THEN ${value} ELSE error('no ${type}') END`;
}

/** Of days and seconds as a cast writes them, and as long as with a year of four digits. */
const PLAIN_LENGTHS: ReadonlyMap<string, number> = new Map([
  ['DATE', 10],
  ['TIMESTAMP', 19],
]);

/**
 * The columns whose texts are all of one of the types. All columns are looked at as one: 2,000 columns with expressions of
 * their own need more memory than there is.
 */
async function timesAmong(
  connection: DuckDBConnection,
  names: readonly string[],
  from: string,
): Promise<Map<string, string>> {
  if (names.length === 0) return new Map();
  const items = TIMES.map(
    ([type, pattern]) =>
      `coalesce(bool_and(regexp_full_match(text, '${pattern}') AND TRY_CAST(text AS ${type}) IS NOT NULL), false)`,
  );
  const texts = `unnest([${names.map(quoteIdentifier).join(', ')}]) AS text, unnest(range(${names.length})) AS position`;
  const reader = await connection.runAndReadAll(
    `SELECT position, ${items.join(', ')} FROM (SELECT ${texts} FROM (FROM ${from})) WHERE text IS NOT NULL GROUP BY position`,
  );
  return new Map(
    reader.getRows().flatMap(([position, ...facts]) => {
      const name = names[Number(position)];
      const type = TIMES[facts.indexOf(true)]?.[0];
      return name === undefined || type === undefined ? [] : [[name, type]];
    }),
  );
}
