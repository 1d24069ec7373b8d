import type { DuckDBConnection } from '@duckdb/node-api';
import { jsonRowExpression, type RowFormat } from '../types/json-encoding.js';
import { runLong } from './long-statement.js';

export interface PageRequest {
  /** The SELECT whose rows are read, without LIMIT. */
  readonly select: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly offset: number;
  /** Of the SELECT, where that is known. */
  readonly rowCount?: number;
  readonly rowsMax: number;
  readonly bytesMax: number;
  /** Arrays when absent. */
  readonly rowFormat?: RowFormat | undefined;
}

export interface Page {
  readonly rowsJson: string;
  readonly rowsReturned: number;
  /** Whether `bytesMax` ended the page. */
  readonly isCut: boolean;
}

const FIRST_BATCH_ROWS = 64;
/** DuckDB holds a vector for each step of each expression of a statement: 10,000 columns at once took 1.5 GB. */
const COLUMNS_AT_ONCE = 1_000;

/**
 * Rows as JSON text, encoded inside DuckDB. The first batch is small: it tells how long rows are, so that a page of
 * very long rows never asks for many of them at once.
 */
export async function readJsonPage(connection: DuckDBConnection, request: PageRequest): Promise<Page> {
  const rows: string[] = [];
  let bytes = 2;
  let batchRows = FIRST_BATCH_ROWS;
  while (rows.length < request.rowsMax) {
    const wanted = Math.min(batchRows, request.rowsMax - rows.length);
    const offset = request.offset + rows.length;
    // A LIMIT that limits nothing doubles the time of a short answer.
    const isAll = offset === 0 && request.rowCount !== undefined && request.rowCount <= wanted;
    const batch = await readBatch(connection, request, isAll ? undefined : { offset, limit: wanted });
    for (const row of batch) {
      bytes += Buffer.byteLength(row) + 1;
      if (bytes > request.bytesMax) return toPage(rows, true);
      rows.push(row);
    }
    if (batch.length < wanted || request.offset + rows.length === request.rowCount) break;
    const rowBytes = bytes / rows.length;
    batchRows = Math.max(FIRST_BATCH_ROWS, Math.ceil((request.bytesMax - bytes) / rowBytes) + 1);
  }
  return toPage(rows, false);
}

interface Batch {
  readonly offset: number;
  readonly limit: number;
}

/** @param batch all rows when absent */
async function readBatch(
  connection: DuckDBConnection,
  request: PageRequest,
  batch: Batch | undefined,
): Promise<string[]> {
  const { columns } = request;
  let rows = await readColumns(connection, { ...request, columns: columns.slice(0, COLUMNS_AT_ONCE) }, batch);
  for (let start = COLUMNS_AT_ONCE; start < columns.length; start += COLUMNS_AT_ONCE) {
    const part = { ...request, columns: columns.slice(start, start + COLUMNS_AT_ONCE) };
    const further = await readColumns(connection, part, batch);
    // Without the bracket that ends the one and the bracket that begins the other.
    rows = rows.map((row, index) => `${row.slice(0, -1)},${further[index]?.slice(1)}`);
  }
  return rows;
}

async function readColumns(
  connection: DuckDBConnection,
  { select, columns, rowFormat }: PageRequest,
  batch: Batch | undefined,
): Promise<string[]> {
  const limit = batch ? ` LIMIT ${batch.limit} OFFSET ${batch.offset}` : '';
  const sql = `SELECT ${jsonRowExpression(columns, rowFormat)} FROM (${select}${limit})`;
  const reader = await runLong(connection, sql);
  return reader.getRows().map(([row]) => String(row));
}

function toPage(rows: readonly string[], isCut: boolean): Page {
  return { rowsJson: `[${rows.join(',')}]`, rowsReturned: rows.length, isCut };
}
