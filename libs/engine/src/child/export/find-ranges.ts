import type { DuckDBConnection } from '@duckdb/node-api';
import type { NamedColumn } from '../../types/named-columns.js';
import { quoteList } from '../../types/sql-text.js';
import { textBytesExpression } from '../../types/text-bytes.js';
import { selectColumns } from '../table-view.js';
import { type RowRange, RowRanges } from './row-ranges.js';

/** Of texts that a statement may hold: in JSON, DuckDB takes six times as much for a moment, and has several copies. */
const TEXT_BYTES_AT_ONCE = 32 * 1024 ** 2;
/** Rows that a statement holds together. */
const CHUNK_ROWS = 2_048;

export interface RangesRequest {
  readonly files: readonly string[];
  readonly columns: readonly NamedColumn[];
  /** Rows, at most. */
  readonly limit: number;
}

/** The rows in ranges that leave one after the other; undefined when all can leave together, as nearly always. */
export async function findRanges(
  { files, columns, limit }: RangesRequest,
  connection: DuckDBConnection,
): Promise<readonly RowRange[] | undefined> {
  const bytes = textBytesExpression(columns);
  if (bytes === undefined || files.length === 0) return undefined;
  if ((await textBytesAtMost(files, connection)) <= TEXT_BYTES_AT_ONCE) return undefined;
  const rows = `${selectColumns(files, columns)}${Number.isFinite(limit) ? ` LIMIT ${limit}` : ''}`;
  const longest = await numberOf(connection, `SELECT max(${bytes}) FROM (${rows})`);
  if (longest * CHUNK_ROWS <= TEXT_BYTES_AT_ONCE) return undefined;
  const ranges = new RowRanges(TEXT_BYTES_AT_ONCE);
  const result = await connection.stream(`SELECT CAST(${bytes} AS DOUBLE) FROM (${rows})`);
  // Each chunk is what a statement over the same rows holds at a time.
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    ranges.add(chunk.getColumnValues(0).map(Number));
  }
  return ranges.all();
}

/**
 * Bytes of texts that some neighbouring rows can have, by the footers: those of a row group, in which no rows have more;
 * but a text in a dictionary is there once, and any number of rows may have it.
 */
function textBytesAtMost(files: readonly string[], connection: DuckDBConnection): Promise<number> {
  const bytes = `total_uncompressed_size * CASE WHEN encodings LIKE '%DICTIONARY%' THEN least(num_values, ${CHUNK_ROWS}) ELSE 1 END`;
  return numberOf(
    connection,
    `SELECT max(bytes) FROM (SELECT sum(${bytes}) AS bytes FROM parquet_metadata(${quoteList(files)}) ` +
      `WHERE type = 'BYTE_ARRAY' GROUP BY file_name, row_group_id)`,
  );
}

/** The only value of a SELECT; 0 for NULL. */
async function numberOf(connection: DuckDBConnection, sql: string): Promise<number> {
  const reader = await connection.runAndReadAll(sql);
  return Number(reader.getRows()[0]?.[0] ?? 0);
}
