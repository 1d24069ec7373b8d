import type { DuckDBConnection } from '@duckdb/node-api';
import type { ColumnProfile, TableProfile } from '@millrace/domain';
import { namedColumns } from '../../types/named-columns.js';
import { type ColumnFacts, readFacts } from './profile-facts.js';
import { FACTS_TABLE, passOver, SAMPLE_TABLE } from './profile-pass.js';
import { profileSample } from './profile-sample.js';
import type { ProfiledColumn } from './profiled-column.js';
import { profiledType } from './profiled-type.js';

/** Tables of up to so many rows are looked at whole; of others, about so many rows are. */
const SAMPLE_ROWS = 20_000;
/** The later columns of wider tables have only their NULLs counted. */
const COLUMNS_MAX = 200;
/** A statement holds a chunk of rows for each of its steps, and the sample all values of its columns. */
const COLUMNS_PER_PASS_MAX = 50;

export interface ProfileRequest {
  /** The Parquet file. */
  readonly path: string;
  /** With the types that people see, in the order of the file. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rowCount: number;
}

/**
 * What the values of a file that was just written are like. NULLs, smallest, largest and mean are exact; the number of
 * different values is an estimate. The rest is counted in a sample of the rows, or in all rows of a small table.
 */
export async function profileTable(connection: DuckDBConnection, request: ProfileRequest): Promise<TableProfile> {
  const { path, rowCount } = request;
  const columns = namedColumns(request.columns).map(({ name, type }, index) => ({
    ...(index < COLUMNS_MAX && profiledType(type)),
    ...{ name, type, index },
  }));
  const names = new Set(columns.map(({ name }) => name.toLowerCase()));
  const profiles: ColumnProfile[] = [];
  let sampled = rowCount;
  for (let start = 0; start < columns.length; start += COLUMNS_PER_PASS_MAX) {
    const some = columns.slice(start, start + COLUMNS_PER_PASS_MAX);
    const rows = await passOver(connection, some, { path, rowCount, sampleRows: SAMPLE_ROWS, names });
    if (rows > 0) sampled = rows;
    profiles.push(...(await profileSome(connection, some, rowCount)));
  }
  for (const table of [FACTS_TABLE, SAMPLE_TABLE]) await connection.run(`DROP TABLE IF EXISTS ${table}`);
  return { approximate: sampled < rowCount, sampled_row_count: sampled, columns: profiles };
}

/** The columns of the last pass. */
async function profileSome(
  connection: DuckDBConnection,
  columns: readonly ProfiledColumn[],
  rowCount: number,
): Promise<ColumnProfile[]> {
  const facts = await readFacts(connection, columns, { isEstimated: rowCount > SAMPLE_ROWS });
  const profiles: ColumnProfile[] = [];
  for (const [position, column] of columns.entries()) {
    const fact = facts[position];
    if (!fact) throw new Error('A pass has facts of each of its columns.');
    profiles.push(await profileColumn(connection, column, { fact, position, rowCount }));
  }
  return profiles;
}

async function profileColumn(
  connection: DuckDBConnection,
  { shownType, axis }: ProfiledColumn,
  { fact, position, rowCount }: { readonly fact: ColumnFacts; readonly position: number; readonly rowCount: number },
): Promise<ColumnProfile> {
  const { valueCount, min, max, mean, range } = fact;
  const nullCount = rowCount - valueCount;
  if (shownType === undefined) return onlyNulls(nullCount);
  const sample = { value: `v${position}`, type: shownType, axis: axis && { ...axis, ...range }, valueCount };
  const { distinctCount, ...counted } = await profileSample(connection, sample);
  return { null_count: nullCount, distinct_count: fact.distinctCount ?? distinctCount, min, max, mean, ...counted };
}

const onlyNulls = (nullCount: number): ColumnProfile => ({
  null_count: nullCount,
  distinct_count: null,
  min: null,
  max: null,
  mean: null,
  quantiles: null,
  top_values: null,
  histogram: null,
});
