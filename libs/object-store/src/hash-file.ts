import { createReadStream } from 'node:fs';
import { meterBytes, type Metered } from './meter-bytes.js';

const READ_BYTES = 256 * 1024;

/** Reads a local file once. @throws errors of the file system as they are; the signal's reason */
export async function hashFile(path: string, signal: AbortSignal): Promise<Metered> {
  signal.throwIfAborted();
  const metered = meterBytes(createReadStream(path, { signal, highWaterMark: READ_BYTES }));
  const chunks = metered[Symbol.asyncIterator]();
  try {
    while (!(await chunks.next()).done) signal.throwIfAborted();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  return metered.result();
}
