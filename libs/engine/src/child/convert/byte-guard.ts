import { Transform, type TransformCallback } from 'node:stream';
import type { DiskReserve } from './disk-reserve.js';
import type { UnpackedBytes } from './unpacked-bytes.js';

/** Lets bytes on their way to the disk pass as long as there may be more of them, and room. */
export class ByteGuard extends Transform {
  constructor(
    private readonly count: UnpackedBytes,
    private readonly reserve: DiskReserve,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (!this.count.add(chunk)) return done(new Error('Too many bytes'));
    this.reserve.spend(chunk.length).then(() => done(null, chunk), done);
  }
}
