import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Data } from 'apache-arrow';
import type { ExportRequest } from '../../tasks/export.task.js';
import { namedColumns, type NamedColumn } from '../../types/named-columns.js';
import { selectColumns } from '../table-view.js';
import type { TaskContext } from '../task-context.js';
import { runLong } from '../long-statement.js';
import { copyText } from '../write-parquet.js';
import { StoredBatches } from './stored-batches.js';

/** The Parquet reader has 110 KB for each compressed column that it reads, and they never come back. */
export const COLUMNS_AT_ONCE = 250;
/** Values of a slice, at most: 32 MB of numbers. */
const SLICE_VALUES = 4_000_000;
const SLICE_ROWS_MIN = 16;
const SLICE_BYTES = 32 * 1024 ** 2;

/** The columns of some rows, in Arrow. */
export interface ColumnSlice {
  readonly rowCount: number;
  readonly columns: readonly Data[];
}

/**
 * Reads tables with many columns: some rows at a time, and of those one part of the columns after the other, which DuckDB
 * writes anew for the Parquet reader, without compression. Its own choice of columns goes by names, and not by all names.
 *
 * @throws DomainError `result.corrupt`, `query.memory`
 */
export async function* readWide(request: ExportRequest, context: TaskContext): AsyncGenerator<ColumnSlice> {
  const { files, limit = Number.POSITIVE_INFINITY } = request;
  const columns = namedColumns(request.columns);
  let sliceRows = Math.ceil(SLICE_VALUES / 10 / columns.length);
  for (let offset = 0; offset < limit;) {
    const wanted = Math.min(sliceRows, limit - offset);
    const slice = await readSlice({ files, columns, offset, limit: wanted }, context);
    if (slice.rowCount > 0) yield slice;
    if (slice.rowCount < wanted) return;
    offset += slice.rowCount;
    const rowBytes = slice.columns.reduce((sum, { byteLength }) => sum + byteLength, 0) / slice.rowCount;
    sliceRows = Math.max(SLICE_ROWS_MIN, Math.floor(Math.min(SLICE_BYTES / rowBytes, SLICE_VALUES / columns.length)));
  }
}

interface SliceRequest {
  readonly files: readonly string[];
  readonly columns: readonly NamedColumn[];
  readonly offset: number;
  readonly limit: number;
}

async function readSlice({ columns, ...rows }: SliceRequest, context: TaskContext): Promise<ColumnSlice> {
  const slice: Data[] = [];
  let rowCount = 0;
  for (let start = 0; start < columns.length; start += COLUMNS_AT_ONCE) {
    const part = await readPart({ ...rows, columns: columns.slice(start, start + COLUMNS_AT_ONCE) }, context);
    if (start > 0 && part.rowCount !== rowCount) throw new Error('Some columns have more rows.');
    rowCount = part.rowCount;
    slice.push(...part.columns);
  }
  return { rowCount, columns: slice };
}

async function readPart({ files, columns, offset, limit }: SliceRequest, context: TaskContext): Promise<ColumnSlice> {
  const path = join(context.scratchDir, 'slice.parquet');
  const rows = `${selectColumns(files, columns)} LIMIT ${limit} OFFSET ${offset}`;
  try {
    await runLong(context.connection, copyText(rows, columns, { path, compression: 'uncompressed' }).text);
    const stored = await StoredBatches.open(path);
    try {
      const batch = await stored.readWhole();
      return { rowCount: batch?.numRows ?? 0, columns: batch?.data.children ?? [] };
    } finally {
      stored.close();
    }
  } finally {
    await rm(path, { force: true });
  }
}
