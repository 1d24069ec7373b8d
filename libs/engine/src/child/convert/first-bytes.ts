import { createReadStream, type ReadStream } from 'node:fs';
import { pipeline, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Compression } from '../../tasks/convert.task.js';
import { conversionFailed } from './conversion-error.js';
import { isDamage } from './decompress.js';
import { zstdFrames } from './zstd-frames.js';

/** Of what is packed: the fewer, the better it is known how much of the file was read. */
const PACKED_CHUNK_BYTES = 16 * 1024;

export interface FirstBytes {
  readonly bytes: Buffer;
  /** Whether there are more behind them. */
  readonly isCut: boolean;
  /** Bytes of the file, packed as they are, that were read for it. */
  readonly readBytes: number;
}

export interface FirstBytesOptions {
  readonly path: string;
  readonly compression: Compression;
  readonly bytesMax: number;
  /** Whether the file is the first part of one. */
  readonly isPart: boolean;
  readonly signal: AbortSignal;
}

/**
 * The first bytes of a file, without its compression.
 *
 * @throws DomainError `conversion.failed` when the stream is damaged, or cut though the file is no part
 */
export async function firstBytes(options: FirstBytesOptions): Promise<FirstBytes> {
  const { compression, bytesMax, isPart } = options;
  const pieces: Buffer[] = [];
  let length = 0;
  let readBytes = 0;
  try {
    for await (const { piece, readBytes: soFar } of unpacked(options)) {
      pieces.push(piece);
      length += piece.length;
      readBytes = soFar;
      if (length > bytesMax) break;
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    if (!isPart || length === 0) throw conversionFailed(`The ${compression} stream is damaged or cut off.`, {}, error);
  }
  const isCut = isPart || length > bytesMax;
  return { bytes: Buffer.concat(pieces, Math.min(length, bytesMax)), isCut, readBytes };
}

interface Unpacked {
  readonly piece: Buffer;
  /** Of the file, up to here. */
  readonly readBytes: number;
}

async function* unpacked({ path, compression, isPart, signal }: FirstBytesOptions): AsyncGenerator<Unpacked> {
  if (compression !== 'zstd') {
    const unzip = compression === 'gzip' ? createGunzip() : undefined;
    yield* piecesOf(createReadStream(path, { highWaterMark: unzip && PACKED_CHUNK_BYTES, signal }), unzip);
    return;
  }
  for await (const { start, end } of zstdFrames(path, { isPart })) {
    const frame = createReadStream(path, { start, end: end - 1, highWaterMark: PACKED_CHUNK_BYTES, signal });
    for await (const { piece, readBytes } of piecesOf(frame, createZstdDecompress())) {
      yield { piece, readBytes: start + readBytes };
    }
  }
}

async function* piecesOf(input: ReadStream, unpack: Transform | undefined): AsyncGenerator<Unpacked> {
  // Whoever iterates sees the error; the callback is for those who do not.
  const output = unpack ? pipeline(input, unpack, () => undefined) : input;
  for await (const piece of output) yield { piece: piece as Buffer, readBytes: input.bytesRead };
}
