import { stat } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { ConvertLimits } from '../../tasks/convert.task.js';
import { quoteIdentifier, quoteLiteral } from '../../types/sql-text.js';
import { readParquet } from '../table-view.js';
import { beyondLimit } from './conversion-error.js';
import { unpackedBytesMax } from './unpacked-bytes-max.js';

interface FoundColumn {
  readonly name: string;
  readonly type: string;
}

/**
 * Refuses a Parquet file whose texts are out of all proportion to it: a dictionary says each text once, so that a file
 * of a kilobyte can hold gigabytes. Its footer tells what pages unpack to, and not what a dictionary stands for; where
 * that could be too much, the lengths are added up, which reads those columns and copies no text.
 *
 * @throws DomainError `conversion.limit`
 */
export async function checkDensity(
  connection: DuckDBConnection,
  path: string,
  { columns, limits }: { readonly columns: readonly FoundColumn[]; readonly limits: ConvertLimits },
): Promise<void> {
  const bytesMax = unpackedBytesMax((await stat(path)).size, limits);
  const bounds = await textBounds(connection, path);
  if (sumOf(bounds.values()) <= bytesMax) return;
  const read = columns.filter(({ name }) => [...bounds.keys()].some((leaf) => isWithin(leaf, name)));
  const lengths = read.map(({ name, type }) => `coalesce(sum(${lengthOf(name, type)}), 0)`).join(' + ');
  if (lengths === '') return;
  const reader = await connection.runAndReadAll(`SELECT (${lengths})::DOUBLE FROM ${readParquet([path])}`);
  if (Number(reader.getRows()[0]?.[0]) <= bytesMax) return;
  throw beyondLimit('The texts of the Parquet file are too large, or packed too densely, once they are unpacked.');
}

/** For each leaf with texts in a dictionary, bytes that they can't be beyond: each value being the whole dictionary. */
async function textBounds(connection: DuckDBConnection, path: string): Promise<Map<string, number>> {
  const reader = await connection.runAndReadAll(
    `SELECT path_in_schema, sum(num_values::DOUBLE * total_uncompressed_size) FROM parquet_metadata(${quoteLiteral(path)}) ` +
      "WHERE type = 'BYTE_ARRAY' AND encodings LIKE '%DICTIONARY%' GROUP BY ALL",
  );
  return new Map(reader.getRows().map(([leaf, bytes]) => [String(leaf), Number(bytes)]));
}

/** DuckDB names a leaf by the names on the way to it. */
function isWithin(leaf: string, column: string): boolean {
  return leaf === column || leaf.startsWith(`${column}, `);
}

function lengthOf(name: string, type: string): string {
  const column = quoteIdentifier(name);
  if (type === 'BLOB') return `octet_length(${column})`;
  return `strlen(${type === 'VARCHAR' ? column : `CAST(${column} AS VARCHAR)`})`;
}

function sumOf(numbers: Iterable<number>): number {
  return [...numbers].reduce((sum, number) => sum + number, 0);
}
