import type { ReadRequest, ReadResult } from '../tasks/read.task.js';
import { namedColumns } from '../types/named-columns.js';
import { readJsonPage } from './page-reader.js';
import { readParquet } from './table-view.js';
import type { TaskContext } from './task-context.js';

/** A page of stored files as JSON text. */
export async function readPage(request: ReadRequest, { connection }: TaskContext): Promise<ReadResult> {
  const page = await readJsonPage(connection, {
    files: request.files,
    columns: namedColumns(request.columns),
    offset: request.offset,
    rowsMax: request.limit,
    bytesMax: request.answerBytesMax,
    rowFormat: request.rowFormat,
  });
  const totalRowCount = request.files.length === 0 ? 0 : await countRows(connection, request.files);
  return { rowsJson: page.rowsJson, rowsReturned: page.rowsReturned, totalRowCount, truncated: page.isCut };
}

async function countRows(connection: TaskContext['connection'], files: readonly string[]): Promise<number> {
  const reader = await connection.runAndReadAll(`SELECT count(*) FROM ${readParquet(files)}`);
  return Number(reader.getRows()[0]?.[0]);
}
