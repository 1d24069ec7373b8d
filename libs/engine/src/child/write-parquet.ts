import { stat } from 'node:fs/promises';
import { uniqueColumnNames, type Column } from '@millrace/domain';
import { quoteIdentifier, quoteLiteral } from '../types/sql-text.js';
import { isStoredDifferently, storageExpression } from '../types/storage-form.js';
import type { BoundParams } from './bind-params.js';
import type { TaskContext } from './task-context.js';

/** DuckDB's own level, 3, takes a fifth more time, or half of it for numbers alone, to save a hundredth of the bytes. */
const ZSTD_LEVEL = 2;
/** Larger row groups are slower and need more memory. */
const ROW_GROUP_ROWS_MAX = 122_880;
/** DuckDB's writer holds a whole row group, and readers a part of each column: those of wide tables have fewer rows. */
const ROW_GROUP_VALUES = 100 * ROW_GROUP_ROWS_MAX;
const WATCH_EVERY_MS = 100;

export interface CopyText {
  readonly text: string;
  /** UTF-8 bytes before the statement. */
  readonly prefixBytes: number;
}

export interface CopyTarget {
  readonly path: string;
  readonly compression: 'zstd' | 'uncompressed';
}

/**
 * The statement as a COPY into a file, its columns in storage form under unique names. The statement stands between
 * line ends, or a comment in it would swallow the parenthesis.
 */
export function copyText(
  statement: string,
  columns: readonly Pick<Column, 'name' | 'type'>[],
  target: string | CopyTarget,
): CopyText {
  const { path, compression } = typeof target === 'string' ? { path: target, compression: 'zstd' } : target;
  const names = uniqueColumnNames(columns.map(({ name }) => name));
  const isPlain = columns.every(({ name, type }, index) => name === names[index] && !isStoredDifferently(type));
  const prefix = isPlain ? 'COPY (\n' : `COPY (SELECT ${storageItems(columns, names)} FROM (\n`;
  const alias = isPlain ? '' : `) AS statement_rows(${columns.map((_, index) => `c${index}`).join(', ')})`;
  const rowGroup = Math.min(ROW_GROUP_ROWS_MAX, Math.ceil(ROW_GROUP_VALUES / columns.length));
  // Without USE_TMP_FILE the name is the one we gave from the first byte on: it can be watched, and found after a crash.
  const packing = compression === 'zstd' ? `zstd, COMPRESSION_LEVEL ${ZSTD_LEVEL}` : compression;
  const options = `(FORMAT parquet, COMPRESSION ${packing}, ROW_GROUP_SIZE ${rowGroup}, USE_TMP_FILE false)`;
  const text = `${prefix}${statement}\n${alias}) TO ${quoteLiteral(path)} ${options}`;
  return { text, prefixBytes: Buffer.byteLength(prefix) };
}

function storageItems(columns: readonly Pick<Column, 'type'>[], names: readonly string[]): string {
  return columns
    .map(({ type }, index) => `${storageExpression(type, `c${index}`)} AS ${quoteIdentifier(names[index] ?? '')}`)
    .join(', ');
}

export interface CopyRun {
  readonly text: string;
  readonly params: BoundParams;
  /** The file may not grow beyond this. */
  readonly bytesMax: number;
}

/**
 * Runs a COPY and tells its progress.
 *
 * @returns the number of rows, or `too_large` when the file grew beyond the limit
 */
export async function runCopy(
  { connection, outputPath, onProgress }: TaskContext,
  run: CopyRun,
): Promise<number | 'too_large'> {
  let isTooLarge = false;
  let hasEnded = false;
  const watch = setInterval(() => {
    const { percentage } = connection.progress;
    if (percentage >= 0) onProgress(Math.min(1, percentage / 100));
    void fileSize(outputPath).then((size) => {
      isTooLarge ||= size > run.bytesMax;
      // A late answer must not interrupt the statement after this one.
      if (isTooLarge && !hasEnded) connection.interrupt();
    });
  }, WATCH_EVERY_MS);
  try {
    const reader = await connection.runAndReadAll(run.text, run.params.values, run.params.types);
    const rowCount = Number(reader.getRows()[0]?.[0]);
    return (await fileSize(outputPath)) > run.bytesMax ? 'too_large' : rowCount;
  } catch (error) {
    // RLIMIT_FSIZE is the wall behind the limit.
    if (isTooLarge || /File too large/.test(String(error))) return 'too_large';
    throw error;
  } finally {
    hasEnded = true;
    clearInterval(watch);
  }
}

async function fileSize(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
