import type { DuckDBConnection } from '@duckdb/node-api';
import type { ProfileBucket, ProfiledValue, ProfileQuantiles, ProfileValue } from '@millrace/domain';
import { parseDuckdbType } from '../../types/duckdb-type.js';
import { jsonExpression } from '../../types/json-encoding.js';
import type { AxisRange } from './profile-facts.js';
import { SAMPLE_TABLE } from './profile-pass.js';
import type { ValueAxis } from './profiled-type.js';

const TOP_VALUES_MAX = 10;
const BUCKETS_MAX = 20;
const QUANTILES = ['0.05', '0.25', '0.5', '0.75', '0.95'];

export interface SampledColumn {
  /** Its name in the sample. */
  readonly value: string;
  /** As its values are shown. */
  readonly type: string;
  readonly axis: (ValueAxis & AxisRange) | undefined;
  /** Of the whole table. */
  readonly valueCount: number;
}

/** What is counted in the rows of a sample; counts are those of the whole table that they stand for. */
export interface SampleProfile {
  /** In the sample. */
  readonly distinctCount: number;
  readonly quantiles: ProfileQuantiles | null;
  readonly top_values: readonly ProfiledValue[];
  readonly histogram: readonly ProfileBucket[] | null;
}

/** Counts the values of one column of the sample. */
export async function profileSample(connection: DuckDBConnection, column: SampledColumn): Promise<SampleProfile> {
  const rowsOf = async (sql: string): Promise<unknown[][]> => (await connection.runAndReadAll(sql)).getRows();
  const top = await rowsOf(topValues(column));
  const [, , sampled = 0, distinct = 0] = top[0] ?? [];
  const weight = column.valueCount / Math.max(1, Number(sampled));
  const counted = (count: unknown): number => Math.round(Number(count) * weight);
  const { axis } = column;
  const ends = axis ? await rowsOf(quantiles(column)) : [];
  const buckets = axis ? await rowsOf(histogram(column.value, axis)) : undefined;
  return {
    distinctCount: Number(distinct),
    quantiles: namedQuantiles(ends.map(([value]) => parsed(value))),
    top_values: top.map(([value, count]) => ({ value: parsed(value), count: counted(count) })),
    histogram:
      buckets?.map(([from, to, count]) => ({ from: parsed(from), to: parsed(to), count: counted(count) })) ?? null,
  };
}

/** Each with its count, the count of all values and that of all different ones. */
function topValues({ value, type }: SampledColumn): string {
  return `SELECT ${jsonExpression(parseDuckdbType(type), 'v')}, n, total, different FROM (
    SELECT v, n, sum(n) OVER () AS total, count(*) OVER () AS different FROM (
      SELECT ${value} AS v, count(*) AS n FROM ${SAMPLE_TABLE} WHERE ${value} IS NOT NULL GROUP BY ALL)
    ORDER BY n DESC, v LIMIT ${TOP_VALUES_MAX}) ORDER BY n DESC, v`;
}

/** Values that occur, also of an even number of them: they have the type of the column. */
function quantiles({ value, type }: SampledColumn): string {
  return `SELECT ${jsonExpression(parseDuckdbType(type), 'v')} FROM (
    SELECT unnest(quantile_disc(${value}, [${QUANTILES.join(', ')}])) AS v FROM ${SAMPLE_TABLE})`;
}

function histogram(
  value: string,
  { positionOf, isWhole, placeType, placeAt, low, high }: ValueAxis & AxisRange,
): string {
  const width = isWhole ? `(high - low) // ${BUCKETS_MAX} + 1` : `high / ${BUCKETS_MAX} - low / ${BUCKETS_MAX}`;
  // By dividing first: the difference of two doubles may be beyond a double.
  const bucket = isWhole ? `(p - low) // width` : `CASE WHEN width > 0 THEN floor(p / width - low / width) ELSE 0 END`;
  const bounded = `CAST(greatest(0, least(${BUCKETS_MAX - 1}, ${bucket})) AS INTEGER)`;
  const shown = (position: string): string =>
    jsonExpression(parseDuckdbType(placeType), placeAt(`least(${position}, high)`));
  return `WITH places AS (SELECT ${positionOf(value)} AS p FROM ${SAMPLE_TABLE}),
      ends AS (SELECT ${low ?? '(SELECT min(p) FROM places)'} AS low, ${high ?? '(SELECT max(p) FROM places)'} AS high),
      steps AS (SELECT low, high, ${width} AS width FROM ends),
      buckets AS (SELECT ${bounded} AS b, low, high, width, count(*) AS n FROM places, steps WHERE p IS NOT NULL GROUP BY ALL)
    SELECT ${shown('low + b * width')}, ${shown('low + (b + 1) * width')}, n FROM buckets ORDER BY b`;
}

const parsed = (json: unknown): ProfileValue => JSON.parse(String(json)) as ProfileValue;

function namedQuantiles(values: readonly ProfileValue[]): ProfileQuantiles | null {
  const [p05, p25, p50, p75, p95] = values;
  if (p05 === undefined || p25 === undefined || p50 === undefined || p75 === undefined || p95 === undefined)
    return null;
  return { p05, p25, p50, p75, p95 };
}
