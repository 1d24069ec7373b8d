import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '@millrace/domain';
import type { AnalyzeAnswer, AnalyzeRequest } from '../../tasks/analyze.task.js';
import { DEFAULT_CONVERT_LIMITS } from '../../tasks/convert.task.js';
import { namedColumns } from '../../types/named-columns.js';
import { quoteLiteral } from '../../types/sql-text.js';
import { readJsonPage } from '../page-reader.js';
import type { TaskContext } from '../task-context.js';
import { checkPinTypes } from './column-pins.js';
import { beyondLimit } from './conversion-error.js';
import { LOOK_FILE, LOOKED_BYTES_MAX, takeLook } from './file-look.js';
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
    const plain = { request, limits, path, compression, look };
    const written = await writePlain(plain, context).catch((error: unknown) => {
      throw isCut && isNoRows(error) ? noRowsSoFar() : error;
    });
    const { rowCount: seen, profile: _unwanted, ...found } = written;
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

const isNoRows = (error: unknown): boolean => error instanceof DomainError && error.code === 'conversion.no_rows';

/** As where many lines are to be skipped. */
function noRowsSoFar(): Error {
  return beyondLimit(`There are no rows in the first ${LOOKED_BYTES_MAX} bytes, and more are not looked at.`);
}

/** By its footer. */
async function parquetRows({ connection }: TaskContext, path: string): Promise<number> {
  const sql = `SELECT sum(num_rows) FROM parquet_file_metadata(${quoteLiteral(path)})`;
  const reader = await connection.runAndReadAll(sql);
  return Number(reader.getRows()[0]?.[0]);
}
