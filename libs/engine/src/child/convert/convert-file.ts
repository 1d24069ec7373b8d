import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConvertAnswer, type ConvertRequest, DEFAULT_CONVERT_LIMITS } from '../../tasks/convert.task.js';
import type { TaskContext } from '../task-context.js';
import { checkPacking } from './check-packing.js';
import { checkPinTypes } from './column-pins.js';
import { noRows } from './conversion-error.js';
import { decompress, detectCompression } from './decompress.js';
import { DiskReserve, lookAtDiskOf } from './disk-reserve.js';
import { formatOf } from './format-of-head.js';
import { writePlain } from './write-plain.js';

/** Turns an uploaded file into Parquet. All that is known about the bytes is found out here. */
export async function convertFile(request: ConvertRequest, context: TaskContext): Promise<ConvertAnswer> {
  checkPinTypes(request.columns);
  const limits = { ...DEFAULT_CONVERT_LIMITS, ...request.limits };
  const { size } = await stat(request.file);
  if (size === 0) throw noRows('The file is empty.');
  const compression = await detectCompression(request.file);
  checkPacking(request, compression);
  const path = compression === 'none' ? request.file : join(context.scratchDir, 'unpacked');
  try {
    if (compression !== 'none') {
      context.phases.enter('unpack');
      await decompress({
        compression,
        source: request.file,
        sourceBytes: size,
        target: path,
        limits,
        reserve: new DiskReserve(lookAtDiskOf(context.scratchDir)),
        signal: context.signal,
        // A value of JSON may go over lines, and all of a file may be one.
        isOfLines: (head) => isCsv(request, head),
      });
    }
    return await writePlain({ request, limits, path, compression }, context);
  } finally {
    if (compression !== 'none') await rm(path, { force: true });
  }
}

/** False also for bytes of no format, which are refused later. */
function isCsv(request: ConvertRequest, head: Buffer): boolean {
  try {
    return formatOf(request, head) === 'csv';
  } catch {
    return false;
  }
}
