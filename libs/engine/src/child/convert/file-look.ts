import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnalyzeRequest } from '../../tasks/analyze.task.js';
import type { Compression } from '../../tasks/convert.task.js';
import type { TaskContext } from '../task-context.js';
import { checkPacking } from './check-packing.js';
import { beyondLimit, noRows } from './conversion-error.js';
import { detectCompression } from './decompress.js';
import { encodingOfHead } from './encoding-of-head.js';
import { firstBytes } from './first-bytes.js';
import { wholeCharacters } from './whole-characters.js';

/** Of a text; more than a conversion takes its first guess from. */
export const LOOKED_BYTES_MAX = 16 * 1024 * 1024;
/** Of Parquet within gzip or zstd, unpacked: its end is read first, so all of it has to be there. */
const PACKED_PARQUET_BYTES_MAX = 64 * 1024 * 1024;
const HEAD_BYTES = 4_096;
/** The first bytes, in the scratch folder. */
export const LOOK_FILE = 'look';

/** What of a file is looked at, without compression. */
export interface FileLook {
  readonly path: string;
  readonly compression: Compression;
  /** Whether the file goes on behind it. */
  readonly isCut: boolean;
  /** How much of the file it is, from 0 to 1. */
  readonly share: number;
}

/**
 * Takes the beginning of a file, or all of it when it is small, or Parquet.
 *
 * @throws DomainError `conversion.no_rows`, `conversion.failed`, `conversion.limit`
 */
export async function takeLook(request: AnalyzeRequest, context: TaskContext): Promise<FileLook> {
  const { file, sizeBytes } = request;
  const { size } = await stat(file);
  if (size === 0) throw noRows('The file is empty.');
  const compression = await detectCompression(file);
  checkPacking(request, compression);
  const isPart = size < sizeBytes;
  const isSmall = compression === 'none' && !isPart && size <= LOOKED_BYTES_MAX;
  if (isSmall) return { path: file, compression, isCut: false, share: 1 };
  return lookInto(request, context, { compression, isPart });
}

async function lookInto(
  { file, sizeBytes, options = {} }: AnalyzeRequest,
  { scratchDir, signal }: TaskContext,
  { compression, isPart }: { readonly compression: Compression; readonly isPart: boolean },
): Promise<FileLook> {
  const path = join(scratchDir, LOOK_FILE);
  const from = { path: file, compression, isPart, signal };
  const { bytes, isCut, readBytes } = await firstBytes({ ...from, bytesMax: LOOKED_BYTES_MAX });
  if (!isParquet(bytes)) {
    const encoding = options.encoding ?? encodingOfHead(bytes.subarray(0, HEAD_BYTES))?.encoding ?? 'utf-8';
    await writeFile(path, isCut ? wholeCharacters(bytes, encoding) : bytes);
    return { path, compression, isCut, share: isCut ? Math.min(1, readBytes / sizeBytes) : 1 };
  }
  const whole = { compression, isCut: false, share: 1 };
  if (compression === 'none' && !isPart) return { path: file, ...whole };
  const all = await firstBytes({ ...from, bytesMax: PACKED_PARQUET_BYTES_MAX });
  if (all.isCut) throw partOfParquet();
  await writeFile(path, all.bytes);
  return { path, ...whole };
}

const isParquet = (bytes: Buffer): boolean => bytes.subarray(0, 4).toString('latin1') === 'PAR1';

function partOfParquet(): Error {
  return beyondLimit(
    'A Parquet file that is packed once more can only be looked at when it is small. Unpack it first.',
  );
}
