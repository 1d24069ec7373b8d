import type { DuckDBConnection } from '@duckdb/node-api';
import type { ConvertLimits } from '../../tasks/convert.task.js';
import { quoteLiteral } from '../../types/sql-text.js';
import { beyondLimit } from './conversion-error.js';

function commonOptions({ lineBytesMax }: ConvertLimits): string {
  return `maximum_object_size = ${lineBytesMax}, ignore_errors = false, hive_partitioning = false`;
}

/** The table function that reads these keys of each record as these types. */
export function readWithTypes(
  path: string,
  typed: readonly { readonly name: string; readonly type: string }[],
  limits: ConvertLimits,
): string {
  const columns = typed.map(({ name, type }) => `${quoteLiteral(name)}: ${quoteLiteral(type)}`).join(', ');
  return `read_json(${quoteLiteral(path)}, columns = {${columns}}, ${commonOptions(limits)})`;
}

/**
 * The columns as the reader finds them. It is kept from finding dates in texts: `findTimes` does, and loses nothing. Of
 * records with many keys, each in few of them, it makes one MAP: then it is asked again for columns.
 *
 * @param sampleRows how many of the first records it looks at; -1: all
 */
export async function detectJson(
  connection: DuckDBConnection,
  { path, limits, sampleRows }: { path: string; limits: ConvertLimits; sampleRows: number },
): Promise<{ from: string; found: { name: string; type: string }[] }> {
  const read = (more: string): string =>
    `read_json(${quoteLiteral(path)}, sample_size = ${sampleRows}, dateformat = 'no date', timestampformat = 'no time', ${more}${commonOptions(limits)})`;
  const from = read('');
  const found = await describe(connection, from);
  const [only] = found;
  if (found.length > 1 || only?.name !== 'json' || !only.type.startsWith('MAP(')) return { from, found };
  await checkKeys(connection, from, limits);
  const fromWide = read('map_inference_threshold = -1, ');
  const wide = await describe(connection, fromWide);
  return wide.length > 1 ? { from: fromWide, found: wide } : { from, found };
}

/** 100,000 columns take a minute to be named; an estimate of their number does, when it is far too high. */
async function checkKeys(connection: DuckDBConnection, from: string, limits: ConvertLimits): Promise<void> {
  const reader = await connection.runAndReadAll(
    `SELECT approx_count_distinct(key) FROM (SELECT unnest(map_keys(json)) AS key FROM ${from})`,
  );
  const about = Number(reader.getRows()[0]?.[0]);
  const { columnsMax } = limits;
  if (about > 2 * columnsMax) {
    throw beyondLimit(`The file has about ${about} columns; at most ${columnsMax} are allowed.`);
  }
}

async function describe(connection: DuckDBConnection, from: string): Promise<{ name: string; type: string }[]> {
  const reader = await connection.runAndReadAll(`DESCRIBE FROM ${from}`);
  return reader.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }));
}

/** Whether the reader gave a column another name than its key has, as it may when two are equal but for their case. */
export function hasRenamedKeys(columns: readonly { name: string }[]): boolean {
  const names = new Set(columns.map(({ name }) => name.toLowerCase()));
  return columns.some(({ name }) => {
    const base = /^(.*)_\d+$/s.exec(name)?.[1];
    return name === 'C0' || (base !== undefined && names.has(base.toLowerCase()));
  });
}
