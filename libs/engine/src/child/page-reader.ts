import type { DuckDBConnection } from '@duckdb/node-api';
import { jsonRowExpression, type RowFormat } from '../types/json-encoding.js';
import type { NamedColumn } from '../types/named-columns.js';
import { textBytesExpression, textLengthExpression } from '../types/text-bytes.js';
import { columnParts } from './column-parts.js';
import { runLong } from './long-statement.js';
import { selectColumns } from './table-view.js';

export interface PageRequest {
  /** Stored files, in the order of their rows. */
  readonly files: readonly string[];
  readonly columns: readonly NamedColumn[];
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
/** Of texts in a row that is read together with others. */
const SHORT_ROW_BYTES = 1024 ** 2;

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
    for (const found of batch) {
      const row = found ?? (await readLongRow(connection, request, request.offset + rows.length));
      if (row === null) return toPage(rows, true);
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

/** One row, unless it is longer than the page: then it may be too long to be encoded at all. */
async function readLongRow(connection: DuckDBConnection, request: PageRequest, offset: number): Promise<string | null> {
  const [row = null] = await readBatch(connection, { ...request, isLong: true }, { offset, limit: 1 });
  return row;
}

/**
 * NULL for rows that are not to be encoded beside others.
 *
 * @param batch all rows when absent
 */
async function readBatch(
  connection: DuckDBConnection,
  request: PageRequest & { readonly isLong?: boolean },
  batch: Batch | undefined,
): Promise<(string | null)[]> {
  const [first = [], ...others] = columnParts(request.columns, (column) => jsonRowExpression([column]));
  let rows = await readColumns(connection, { ...request, columns: first }, batch);
  for (const columns of others) {
    const further = await readColumns(connection, { ...request, columns }, batch);
    // Without the bracket that ends the one and the bracket that begins the other.
    rows = rows.map((row, index) => joined(row, further[index] ?? null));
  }
  return rows;
}

function joined(row: string | null, further: string | null): string | null {
  return row === null || further === null ? null : `${row.slice(0, -1)},${further.slice(1)}`;
}

async function readColumns(
  connection: DuckDBConnection,
  { files, columns, rowFormat, bytesMax, isLong = false }: PageRequest & { readonly isLong?: boolean },
  batch: Batch | undefined,
): Promise<(string | null)[]> {
  const limit = batch ? ` LIMIT ${batch.limit} OFFSET ${batch.offset}` : '';
  const rows = `${selectColumns(files, columns)}${limit}`;
  const row = jsonRowExpression(columns, rowFormat);
  // What is counted exactly takes as long as the rest of a short answer.
  const bytes = isLong ? textBytesExpression(columns) : textLengthExpression(columns);
  const most = isLong ? bytesMax : SHORT_ROW_BYTES;
  const item = bytes === undefined ? row : `CASE WHEN ${bytes} <= ${most} THEN ${row} END`;
  const reader = await runLong(connection, `SELECT ${item} FROM (${rows})`);
  return reader.getRows().map(([text]) => (text === null ? null : String(text)));
}

function toPage(rows: readonly string[], isCut: boolean): Page {
  return { rowsJson: `[${rows.join(',')}]`, rowsReturned: rows.length, isCut };
}
