import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { ConvertLimits } from '../../tasks/convert.task.js';
import { ByteGuard } from './byte-guard.js';
import { beyondLimit } from './conversion-error.js';
import type { DiskReserve } from './disk-reserve.js';
import { RecordExtractor } from './record-extractor.js';
import { recordsPathKeys } from './records-path.js';
import { UnpackedBytes } from './unpacked-bytes.js';

const CHUNK_BYTES = 1024 * 1024;

export interface Extraction {
  /** A JSON text. */
  readonly source: string;
  readonly target: string;
  readonly recordsPath: string;
  /** Whether the text may end within a value. */
  readonly isCut: boolean;
  readonly limits: ConvertLimits;
  readonly reserve: DiskReserve;
  readonly signal: AbortSignal;
}

/**
 * Writes the records at a path of a JSON text as one list, each in the line where it was.
 *
 * @throws DomainError `request.invalid` for what is no path; `conversion.failed` when there is nothing, or no records;
 *   `conversion.no_rows`, `storage.full`
 */
export async function extractRecords(extraction: Extraction): Promise<void> {
  const { source, target, recordsPath: path, isCut, limits, reserve, signal } = extraction;
  const extractor = new RecordExtractor({ keys: recordsPathKeys(path), path, isCut });
  // Of marks that are added, one for each record.
  const count = new UnpackedBytes(2 * limits.decompressedBytesMax);
  const input = createReadStream(source, { highWaterMark: CHUNK_BYTES });
  try {
    await pipeline(input, extractor, new ByteGuard(count, reserve), createWriteStream(target, { flags: 'wx' }), {
      signal,
    });
  } catch (error) {
    await rm(target, { force: true });
    throw count.isExceeded ? beyondLimit('The JSON is too large.') : error;
  }
}
