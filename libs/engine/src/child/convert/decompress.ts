import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Compression, ConvertLimits } from '../../tasks/convert.task.js';
import { ByteGuard } from './byte-guard.js';
import { beyondLimit, conversionFailed } from './conversion-error.js';
import type { DiskReserve } from './disk-reserve.js';
import { LineGuard } from './line-guard.js';
import { UnpackedBytes } from './unpacked-bytes.js';
import { unpackedBytesMax } from './unpacked-bytes-max.js';
import { isZstd, zstdFrames } from './zstd-frames.js';

/** The compression of a file, by its first bytes. */
export async function detectCompression(path: string): Promise<Compression> {
  const head = await readHead(path, 4);
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return isZstd(head) ? 'zstd' : 'none';
}

/** The first bytes of a file. */
export async function readHead(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

export interface DecompressOptions {
  readonly compression: 'gzip' | 'zstd';
  readonly source: string;
  readonly sourceBytes: number;
  readonly target: string;
  readonly limits: ConvertLimits;
  readonly reserve: DiskReserve;
  readonly signal: AbortSignal;
  /** Whether a file that begins so is one of lines, none of which may be longer than allowed. */
  readonly isOfLines: (head: Buffer) => boolean;
}

/**
 * Decompresses a file beside it, within the limits on bytes, ratio and the length of a line: one of gigabytes is refused
 * at its first megabytes.
 *
 * @throws DomainError `conversion.limit`; `conversion.failed` when the stream is damaged or cut; `storage.full` before
 *   the disk is
 */
export async function decompress(options: DecompressOptions): Promise<void> {
  const { compression, sourceBytes, target, limits, reserve, isOfLines } = options;
  const count = new UnpackedBytes(unpackedBytesMax(sourceBytes, limits), (head) =>
    isOfLines(head) ? new LineGuard(limits.lineBytesMax) : undefined,
  );
  await reserve.claim(sourceBytes);
  try {
    await (compression === 'gzip' ? gunzip(options, count) : unpackFrames(options, count));
  } catch (error) {
    await rm(target, { force: true });
    if (count.isExceeded) throw beyondLimit('The file is too large, or packed too densely, once it is decompressed.');
    if (count.hasLongLine) throw beyondLimit(`A line is longer than ${limits.lineBytesMax} bytes.`);
    if (isDamage(error)) throw conversionFailed(`The ${compression} stream is damaged or cut off.`, {}, error);
    throw error;
  }
}

/** Reads the members of a gzip file to its end. */
function gunzip({ source, target, reserve, signal }: DecompressOptions, count: UnpackedBytes): Promise<void> {
  const into = createWriteStream(target, { flags: 'wx' });
  return pipeline(createReadStream(source), createGunzip(), new ByteGuard(count, reserve), into, { signal });
}

async function unpackFrames(
  { source, target, reserve, signal }: DecompressOptions,
  count: UnpackedBytes,
): Promise<void> {
  await writeFile(target, '', { flag: 'wx' });
  for await (const { start, end } of zstdFrames(source)) {
    const frame = createReadStream(source, { start, end: end - 1 });
    const into = createWriteStream(target, { flags: 'a' });
    await pipeline(frame, createZstdDecompress(), new ByteGuard(count, reserve), into, { signal });
  }
}

/** Whether an error says that packed bytes are none. */
export function isDamage(error: unknown): boolean {
  return /^(Z_|ZSTD_|ERR_ZSTD|ERR_TRAILING)/.test(String((error as NodeJS.ErrnoException).code));
}
