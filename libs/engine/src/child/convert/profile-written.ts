import { type Column, type TableProfile, uniqueColumnNames } from '@millrace/domain';
import { quoteIdentifier } from '../../types/sql-text.js';
import { readDuckdbError } from '../duckdb-error.js';
import { readParquet } from '../table-view.js';
import type { TaskContext } from '../task-context.js';
import { profileTable } from './profile-table.js';
import type { WrittenDataset } from './write-dataset.js';

/** A written table as it is: `nullable` says whether a NULL was seen. */
export interface SeenDataset {
  readonly columns: readonly Column[];
  /** Null when nobody wants it, or DuckDB can't make it: a table that could be written is worth having without one, too. */
  readonly profile: TableProfile | null;
}

/**
 * Looks at the file of a task.
 *
 * @param options.isProfiled whether a profile is wanted, which takes longer than to look for NULLs
 */
export async function profileWritten(
  context: TaskContext,
  written: WrittenDataset,
  { isProfiled }: { readonly isProfiled: boolean },
): Promise<SeenDataset> {
  const profile = isProfiled ? await profileOf(context, written) : null;
  const nullCounts = profile?.columns.map((column) => column.null_count) ?? (await countNulls(context, written));
  const columns = written.columns.map((column, index) => ({ ...column, nullable: (nullCounts[index] ?? 0) > 0 }));
  return { columns, profile };
}

async function profileOf(
  { connection, outputPath: path }: TaskContext,
  written: WrittenDataset,
): Promise<TableProfile | null> {
  try {
    return await profileTable(connection, { path, ...written });
  } catch (error) {
    const duckdb = readDuckdbError(error);
    if (!duckdb || duckdb.type === 'INTERRUPT') throw error;
    return null;
  }
}

async function countNulls(
  { connection, outputPath }: TaskContext,
  { columns, rowCount }: WrittenDataset,
): Promise<number[]> {
  const names = uniqueColumnNames(columns.map(({ name }) => name));
  const counts = names.map((name) => `count(${quoteIdentifier(name)})`).join(', ');
  const reader = await connection.runAndReadAll(`SELECT ${counts} FROM ${readParquet([outputPath])}`);
  const [present = []] = reader.getRows();
  return columns.map((_, index) => rowCount - Number(present[index]));
}
