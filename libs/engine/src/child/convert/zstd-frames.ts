import { type FileHandle, open } from 'node:fs/promises';
import { conversionFailed } from './conversion-error.js';

const FRAME_MAGIC = 0xfd2fb528;
/** The last four bits are free: frames of foreign data, which a reader skips. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAGIC_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
/** A block of this type is one byte, to be repeated. */
const RLE = 1;

/** A part of a file: `end` is behind its last byte. */
export interface Frame {
  readonly start: number;
  readonly end: number;
}

/** Whether a file that begins so is packed with zstd. */
export function isZstd(head: Buffer): boolean {
  return head.length >= MAGIC_BYTES && (isData(head) || isSkippable(head));
}

/**
 * The frames of a zstd file that hold data, in order (RFC 8878). Node's decompressor ends with the first one and drops
 * the rest without a word; tools that pack in parallel, and `cat a.zst b.zst`, write many.
 *
 * @param options.isPart whether the file may end within a frame, which then is the last one
 * @throws DomainError `conversion.failed` when something else stands between frames or the file ends within one
 */
export async function* zstdFrames(path: string, { isPart = false } = {}): AsyncGenerator<Frame> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let start = 0; start < size;) {
      const magic = await readAt(file, start, MAGIC_BYTES);
      if (!isData(magic) && !isSkippable(magic)) throw damaged();
      const find = isData(magic) ? endOfFrame : endOfSkippable;
      const end = await find(file, start).catch((error: unknown) => (isPart ? size : Promise.reject(error as Error)));
      if (end > size && !isPart) throw damaged();
      if (isData(magic)) yield { start, end: Math.min(end, size) };
      start = end;
    }
  } finally {
    await file.close();
  }
}

async function endOfSkippable(file: FileHandle, start: number): Promise<number> {
  const size = await readAt(file, start + MAGIC_BYTES, 4);
  return start + MAGIC_BYTES + 4 + size.readUInt32LE();
}

async function endOfFrame(file: FileHandle, start: number): Promise<number> {
  const [descriptor = 0] = await readAt(file, start + MAGIC_BYTES, 1);
  let at = start + MAGIC_BYTES + headerBytes(descriptor);
  for (let isLast = false; !isLast;) {
    const header = (await readAt(file, at, BLOCK_HEADER_BYTES)).readUIntLE(0, BLOCK_HEADER_BYTES);
    isLast = (header & 1) === 1;
    at += BLOCK_HEADER_BYTES + (((header >> 1) & 3) === RLE ? 1 : header >> 3);
  }
  const hasChecksum = (descriptor & 0b100) !== 0;
  return at + (hasChecksum ? CHECKSUM_BYTES : 0);
}

/** The descriptor, the window, the dictionary and the size of the content. */
function headerBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0b10_0000) !== 0;
  const windowBytes = isSingleSegment ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 0b11] ?? 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return 1 + windowBytes + dictionaryBytes + contentSizeBytes;
}

async function readAt(file: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, position);
  if (bytesRead < bytes) throw damaged();
  return buffer;
}

const isData = (head: Buffer): boolean => head.readUInt32LE() === FRAME_MAGIC;
const isSkippable = (head: Buffer): boolean => (head.readUInt32LE() & ~0xf) >>> 0 === SKIPPABLE_MAGIC;

const damaged = (): Error => conversionFailed('The zstd stream is damaged or cut off.');
