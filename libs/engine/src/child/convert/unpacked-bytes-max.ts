import type { ConvertLimits } from '../../tasks/convert.task.js';

/** Below this many bytes no ratio is suspicious. */
const RATIO_FREE_BYTES = 16 * 1024 * 1024;

/** What a packed file of so many bytes may unpack to. */
export function unpackedBytesMax(
  packedBytes: number,
  { decompressedBytesMax, compressionRatioMax }: ConvertLimits,
): number {
  return Math.min(decompressedBytesMax, Math.max(RATIO_FREE_BYTES, packedBytes * compressionRatioMax));
}
