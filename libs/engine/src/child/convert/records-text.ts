import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConvertLimits, ConvertRequest } from '../../tasks/convert.task.js';
import type { TaskContext } from '../task-context.js';
import { DiskReserve, lookAtDiskOf } from './disk-reserve.js';
import { extractRecords } from './extract-records.js';

/** The records alone, in the scratch folder. */
const RECORDS_FILE = 'records';

export interface RecordsFile {
  readonly path: string;
  readonly request: ConvertRequest;
  readonly limits: ConvertLimits;
  /** Whether the text may end within a value. */
  readonly isCut: boolean;
}

/**
 * Runs work on a text, or on a copy with nothing but its records when the options say where they are.
 *
 * @throws as `extractRecords`; what the work throws
 */
export async function withRecords<T>(
  { path, request, limits, isCut }: RecordsFile,
  { scratchDir, signal, phases }: TaskContext,
  work: (text: Pick<RecordsFile, 'path' | 'request'>) => Promise<T>,
): Promise<T> {
  const { records_path: recordsPath, ...options } = request.options ?? {};
  if (recordsPath === undefined) return work({ path, request });
  const target = join(scratchDir, RECORDS_FILE);
  const reserve = new DiskReserve(lookAtDiskOf(scratchDir));
  phases.enter('unpack');
  try {
    await extractRecords({ source: path, target, recordsPath, isCut, limits, reserve, signal });
    return await work({ path: target, request: { ...request, options: { ...options, json_layout: 'array' } } });
  } finally {
    await rm(target, { force: true });
  }
}
