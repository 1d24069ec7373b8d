import type { ExportRequest } from '../../tasks/export.task.js';
import { namedColumns } from '../../types/named-columns.js';
import { columnParts } from '../column-parts.js';
import type { TaskContext } from '../task-context.js';
import { type CopiedRows, copyRows } from './copy-rows.js';
import { findRanges } from './find-ranges.js';
import { PipeWriter } from './pipe-writer.js';
import type { RowRange } from './row-ranges.js';
import { textFormat, type TextFormatName } from './text-format.js';
import { writeLongRow } from './write-long-row.js';
import { writeWide } from './write-wide.js';

/**
 * Writes the rows of stored files as lines of text.
 *
 * @returns the number of rows
 */
export async function exportText(
  request: ExportRequest & { readonly format: TextFormatName },
  context: TaskContext,
): Promise<number> {
  const { files, limit = Number.POSITIVE_INFINITY } = request;
  const columns = namedColumns(request.columns);
  const format = textFormat(request.format);
  const parts = columnParts(columns, format.encoded);
  if (parts.length > 1) {
    return withPipe(context, (pipe) => writeWide({ files, parts, limit, format }, context.connection, pipe));
  }
  const ranges = await findRanges({ files, columns, limit }, context.connection);
  if (!ranges) return copyRows({ files, columns, limit: request.limit, format }, context);
  return withPipe(context, (pipe) => writeRanges(ranges, { files, columns, format }, { context, pipe }));
}

type Table = Pick<CopiedRows, 'files' | 'columns' | 'format'>;

async function writeRanges(
  ranges: readonly RowRange[],
  table: Table,
  { context, pipe }: { context: TaskContext; pipe: PipeWriter },
): Promise<number> {
  let written = 0;
  for (const { offset, rowCount, isLong } of ranges) {
    if (isLong) await writeLongRow({ ...table, offset }, context.connection, pipe);
    else await copyRows({ ...table, offset, limit: rowCount }, context);
    written += rowCount;
  }
  return written;
}

/** While this is open, the reader does not take the end of one statement for the end of all. */
async function withPipe<T>({ outputPath }: TaskContext, work: (pipe: PipeWriter) => Promise<T>): Promise<T> {
  const pipe = await PipeWriter.open(outputPath);
  try {
    return await work(pipe);
  } finally {
    await pipe.close();
  }
}
