import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier } from '../../types/sql-text.js';
import { restoreExpression } from '../../types/storage-form.js';
import { readParquet } from '../table-view.js';
import type { ProfiledColumn } from './profiled-column.js';

/** Of DuckDB's reader: the number of a row in its file. A column of that name takes its place. */
const ROW_NUMBER = 'file_row_number';

export interface PassRequest {
  /** The Parquet file. */
  readonly path: string;
  readonly rowCount: number;
  /** Of larger tables about so many rows are taken. */
  readonly sampleRows: number;
  /** Lower-case names of all columns of the file. */
  readonly names: ReadonlySet<string>;
}

/** Where a pass leaves what it found: one row, for column 0 with `count0`, `min0`, `max0`, `mean0`, `distinct0`, and so on. */
export const FACTS_TABLE = 'profile_facts';
/** And the rows of the sample: the values of column 0 as `v0`, and so on. */
export const SAMPLE_TABLE = 'profile_sample';

/**
 * Reads some columns of a file once, for all that is to be known of them: to unpack a file costs as much as to count.
 *
 * @returns how many rows are in the sample
 */
export async function passOver(
  connection: DuckDBConnection,
  columns: readonly ProfiledColumn[],
  request: PassRequest,
): Promise<number> {
  const isLarge = request.rowCount > request.sampleRows;
  const facts = columns.flatMap((column, position) => factsOf(column, position, isLarge));
  const shown = columns.flatMap(({ shown }, position) => (shown ? [`v${position} := ${shown(`c${position}`)}`] : []));
  // CASE, too: what is filtered away would be cut all the same.
  const sample = `list(CASE WHEN chosen THEN struct_pack(${shown.join(', ')}) END) FILTER (chosen)`;
  const rows = shown.length > 0 ? [`${sample} AS sample`] : [];
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${FACTS_TABLE} AS SELECT ${[...facts, ...rows].join(', ')} FROM (${selectFrom(columns, request)})`,
  );
  if (shown.length === 0) return 0;
  const reader = await connection.runAndReadAll(
    `CREATE OR REPLACE TEMP TABLE ${SAMPLE_TABLE} AS SELECT unnest(sample, max_depth := 2) FROM ${FACTS_TABLE}`,
  );
  return Number(reader.getRows()[0]?.[0]);
}

function factsOf({ shown, numberOf }: ProfiledColumn, position: number, isLarge: boolean): string[] {
  const value = `c${position}`;
  const count = `count(${value}) AS count${position}`;
  if (!shown) return [count];
  return [
    count,
    `min(${value}) AS min${position}`,
    `max(${value}) AS max${position}`,
    ...(numberOf ? [`avg(${numberOf(value)}) AS mean${position}`] : []),
    ...(isLarge ? [`approx_count_distinct(${value}) AS distinct${position}`] : []),
  ];
}

/** By the hash of its number a row is in the sample whichever columns are asked for, and of the same file always. */
function selectFrom(columns: readonly ProfiledColumn[], { path, rowCount, sampleRows, names }: PassRequest): string {
  const items = columns.map(
    ({ name, type }, position) => `${restoreExpression(type, quoteIdentifier(name))} AS c${position}`,
  );
  const byNumber = `hash(${ROW_NUMBER}) % ${rowCount} < ${sampleRows}`;
  const chosen = names.has(ROW_NUMBER) ? `random() * ${rowCount} < ${sampleRows}` : byNumber;
  return `SELECT ${items.join(', ')}, ${rowCount > sampleRows ? chosen : 'true'} AS chosen FROM ${readParquet([path])}`;
}
