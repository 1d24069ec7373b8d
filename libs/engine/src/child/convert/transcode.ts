import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ConvertLimits, TextEncoding } from '../../tasks/convert.task.js';
import { ByteGuard } from './byte-guard.js';
import { beyondLimit, conversionFailed } from './conversion-error.js';
import type { DiskReserve } from './disk-reserve.js';
import { encodingName } from './encoding-name.js';
import { type PieceDecoder, pieceDecoder } from './piece-decoder.js';
import { UnpackedBytes } from './unpacked-bytes.js';

const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

export interface Transcoding {
  readonly source: string;
  readonly target: string;
  /** Of the source. */
  readonly encoding: Exclude<TextEncoding, 'utf-8'>;
  readonly limits: ConvertLimits;
  readonly reserve: DiskReserve;
  readonly signal: AbortSignal;
}

/**
 * Writes a text once more, as UTF-8: what stood in a line stands in the same one.
 *
 * @throws DomainError `conversion.failed` with the line of bytes that mean nothing in the encoding; `conversion.limit`
 *   when it becomes too large; `storage.full` before the disk is
 */
export async function transcode({ source, target, encoding, limits, reserve, signal }: Transcoding): Promise<void> {
  const count = new UnpackedBytes(limits.decompressedBytesMax);
  const input = createReadStream(source, { highWaterMark: CHUNK_BYTES });
  const output = createWriteStream(target, { flags: 'wx' });
  try {
    await pipeline(input, new Utf8Transform(encoding), new ByteGuard(count, reserve), output, { signal });
  } catch (error) {
    await rm(target, { force: true });
    throw count.isExceeded ? beyondLimit('The file is too large once it is UTF-8.') : error;
  }
}

class Utf8Transform extends Transform {
  private readonly decoder: PieceDecoder;
  private line = 1;

  constructor(private readonly encoding: Exclude<TextEncoding, 'utf-8'>) {
    super();
    this.decoder = pieceDecoder(encoding);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.give(this.decoder.write(chunk), done);
  }

  override _flush(done: TransformCallback): void {
    this.give(this.decoder.end(), done);
  }

  private give(text: string, done: TransformCallback): void {
    const fault = this.decoder.findFault(text);
    if (fault >= 0) return done(this.meaningless(text, fault));
    const bytes = Buffer.from(text);
    this.line += lineEndsIn(bytes);
    done(null, bytes);
  }

  private meaningless(text: string, at: number): Error {
    const before = text.slice(0, at);
    const [rest = ''] = text.slice(at).split('\n', 1);
    return conversionFailed(`There are bytes that mean nothing in ${encodingName(this.encoding)}.`, {
      line: this.line + lineEndsIn(Buffer.from(before)),
      text: before.slice(before.lastIndexOf('\n') + 1) + rest,
    });
  }
}

function lineEndsIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
