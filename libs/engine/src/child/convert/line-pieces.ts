import { open } from 'node:fs/promises';
import { EffortFailedError } from './effort.js';

const PIECE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * A file of lines in pieces of whole ones, each with a line end, which the last one gets if it has none. Each piece takes the place of the one before.
 *
 * @throws EffortFailedError when a line is longer than a piece
 */
export async function* linePieces(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    const place = Buffer.allocUnsafe(PIECE_BYTES + 1);
    let kept = 0;
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(place, kept, PIECE_BYTES - kept);
      if (bytesRead === 0) {
        place[kept] = NEWLINE;
        if (kept > 0) yield place.subarray(0, kept + 1);
        return;
      }
      const filled = kept + bytesRead;
      const end = place.lastIndexOf(NEWLINE, filled - 1) + 1;
      if (end > 0) yield place.subarray(0, end);
      if (end === 0 && filled === PIECE_BYTES) throw new EffortFailedError('whole');
      place.copyWithin(0, end, filled);
      kept = filled - end;
    }
  } finally {
    await file.close();
  }
}
