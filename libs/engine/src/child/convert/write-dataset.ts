import { rm } from 'node:fs/promises';
import { type Column, DomainError } from '@millrace/domain';
import type { TaskContext } from '../task-context.js';
import { type CopyText, copyText, runCopy } from '../write-parquet.js';
import { beyondLimit, conversionFailed, noRows } from './conversion-error.js';
import type { TableSource } from './table-source.js';

export interface WrittenDataset {
  /** Whether there are NULLs among them nobody has looked yet. */
  readonly columns: readonly Column[];
  readonly rowCount: number;
}

/**
 * Writes a source into the task's file.
 *
 * @throws what DuckDB says about the source, as it came: the caller may try again with other types
 */
export async function writeDataset(
  context: TaskContext,
  source: TableSource,
  bytesMax: number,
): Promise<WrittenDataset> {
  const columns = source.columns.map(({ name, type }) => ({ name, type, nullable: true }));
  const { text } = storable(source.select, columns, context.outputPath);
  // A COPY that failed leaves a part of its file.
  await rm(context.outputPath, { force: true });
  const rowCount = await runCopy(context, { text, params: { values: undefined, types: undefined }, bytesMax });
  if (rowCount === 'too_large') throw beyondLimit(`The dataset is larger than ${bytesMax} bytes.`);
  if (rowCount === 0) throw noRows('The file has no rows.');
  return { columns, rowCount };
}

function storable(select: string, columns: readonly Column[], path: string): CopyText {
  try {
    return copyText(select, columns, path);
  } catch (error) {
    throw error instanceof DomainError ? conversionFailed(error.message, {}, error) : error;
  }
}
