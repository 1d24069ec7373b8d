import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Compression, ConvertLimits } from '../../tasks/convert.task.js';
import { beyondLimit, conversionFailed } from './conversion-error.js';

/** Below this many bytes no ratio is suspicious. */
const RATIO_FREE_BYTES = 16 * 1024 * 1024;

/** The compression of a file, by its first bytes. */
export async function detectCompression(path: string): Promise<Compression> {
  const head = await readHead(path, 4);
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return head.length === 4 && head.readUInt32LE() === 0xfd2fb528 ? 'zstd' : 'none';
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
  readonly signal: AbortSignal;
}

/**
 * Decompresses a file beside it, within the limits on bytes and ratio.
 *
 * @throws DomainError `conversion.limit`; `conversion.failed` when the stream is damaged or cut
 */
export async function decompress({
  compression,
  source,
  sourceBytes,
  target,
  limits,
  signal,
}: DecompressOptions): Promise<void> {
  const unpack = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  const guard = new ByteGuard(
    Math.min(limits.decompressedBytesMax, Math.max(RATIO_FREE_BYTES, sourceBytes * limits.compressionRatioMax)),
  );
  try {
    await pipeline(createReadStream(source), unpack, guard, createWriteStream(target, { flags: 'wx' }), { signal });
  } catch (error) {
    await rm(target, { force: true });
    if (guard.isExceeded) throw beyondLimit('The file is too large, or packed too densely, once it is decompressed.');
    if (isDamage(error)) throw conversionFailed(`The ${compression} stream is damaged or cut off.`, {}, error);
    throw error;
  }
}

class ByteGuard extends Transform {
  isExceeded = false;
  private bytes = 0;

  constructor(private readonly bytesMax: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    this.isExceeded = this.bytes > this.bytesMax;
    done(this.isExceeded ? new Error('Too many bytes') : null, chunk);
  }
}

function isDamage(error: unknown): boolean {
  return /^(Z_|ZSTD_|ERR_ZSTD|ERR_TRAILING)/.test(String((error as NodeJS.ErrnoException).code));
}
