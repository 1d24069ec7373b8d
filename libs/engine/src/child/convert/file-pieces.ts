import { open } from 'node:fs/promises';

const PIECE_BYTES = 1024 * 1024;

/** The bytes of a file in order. Each piece takes the place of the one before: a stream makes a new one for each. */
export async function* filePieces(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    const place = Buffer.allocUnsafe(PIECE_BYTES);
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(place, 0, place.length);
      if (bytesRead === 0) return;
      yield place.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
