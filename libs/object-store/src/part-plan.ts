import type { ByteStream } from '@millrace/domain';

const MiB = 1024 * 1024;

/** The smallest part that S3 takes, but for the last. */
export const PART_BYTES_MIN = 5 * MiB;

/** Parts of one object, as S3 has it. */
export const PARTS_MAX = 10_000;

/** A part is at least this fraction of what went before it. Chosen so that `PARTS_MAX` parts hold 5 TiB. */
const PART_FRACTION = 1_250;

/**
 * How large the next part is. Nobody knows how long a stream will be, so parts grow with what was already sent: 5 MiB
 * for the first 6 GiB, 41 MiB at 50 GiB. So is memory: a small object never pays for the size of the largest.
 */
export function nextPartBytes(sentBytes: number): number {
  return Math.max(PART_BYTES_MIN, Math.ceil(sentBytes / PART_FRACTION));
}

/**
 * A body in parts as the plan wants them; only the last may be smaller, and no part is empty. Holds one part in memory.
 *
 * @throws what the body throws
 */
export async function* gatherParts(body: ByteStream): AsyncGenerator<Buffer> {
  let sentBytes = 0;
  let chunks: Uint8Array[] = [];
  let gatheredBytes = 0;
  for await (const chunk of body) {
    let rest = chunk;
    for (;;) {
      const missingBytes = nextPartBytes(sentBytes) - gatheredBytes;
      const taken = rest.subarray(0, missingBytes);
      if (taken.byteLength > 0) chunks.push(taken);
      gatheredBytes += taken.byteLength;
      if (taken.byteLength < missingBytes) break;
      yield Buffer.concat(chunks);
      sentBytes += gatheredBytes;
      [chunks, gatheredBytes] = [[], 0];
      rest = rest.subarray(missingBytes);
    }
  }
  if (gatheredBytes > 0) yield Buffer.concat(chunks);
}
