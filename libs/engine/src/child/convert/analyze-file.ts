import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnalyzeAnswer, AnalyzeRequest } from '../../tasks/analyze.task.js';
import { DEFAULT_CONVERT_LIMITS } from '../../tasks/convert.task.js';
import { namedColumns } from '../../types/named-columns.js';
import { quoteLiteral } from '../../types/sql-text.js';
import { readJsonPage } from '../page-reader.js';
import type { TaskContext } from '../task-context.js';
import { checkPinTypes } from './column-pins.js';
import { LOOK_FILE, takeLook } from './file-look.js';
import { writePlain } from './write-plain.js';

/**
 * Shows what a conversion would make of a file. The conversion itself does it, with the first bytes of a large text, with
 * the first rows of Parquet, and with all of everything else; so it says what a conversion says.
 */
export async function analyzeFile(request: AnalyzeRequest, context: TaskContext): Promise<AnalyzeAnswer> {
  checkPinTypes(request.columns);
  const limits = { ...DEFAULT_CONVERT_LIMITS, ...request.limits };
  const { rowsMax, answerBytesMax: bytesMax } = request;
  const { connection, outputPath: file, scratchDir } = context;
  try {
    const { path, compression, isCut, share } = await takeLook(request, context);
    const look = { isCut, parquetRowsMax: rowsMax };
    const {
      rowCount: seen,
      profile: _unwanted,
      ...found
    } = await writePlain({ request, limits, path, compression, look }, context);
    context.phases.enter('read');
    const columns = namedColumns(found.columns);
    const page = await readJsonPage(connection, {
      files: [file],
      columns,
      offset: 0,
      rowCount: seen,
      rowsMax,
      bytesMax,
    });
    const count = found.format === 'parquet' ? await parquetRows(context, path) : seen;
    return {
      ...found,
      isComplete: !isCut && count === seen,
      rowCount: isCut ? null : count,
      rowEstimate: isCut ? Math.max(seen, Math.round(seen / share)) : count,
      rowsJson: page.rowsJson,
      rowsReturned: page.rowsReturned,
    };
  } finally {
    await rm(join(scratchDir, LOOK_FILE), { force: true });
    await rm(file, { force: true });
  }
}

/** By its footer. */
async function parquetRows({ connection }: TaskContext, path: string): Promise<number> {
  const sql = `SELECT sum(num_rows) FROM parquet_file_metadata(${quoteLiteral(path)})`;
  const reader = await connection.runAndReadAll(sql);
  return Number(reader.getRows()[0]?.[0]);
}
