/** The lengths of head and text, in bytes. */
export const FRAME_PREFIX_BYTES = 8;

/** Of one message without its text; the names and types of a table's columns are the longest. */
export const HEAD_BYTES_MAX = 8 * 1024 ** 2;

export interface Frame {
  readonly head: unknown;
  /** The one long text of a message beside it, so that nobody has to quote it, or to walk it in search of its end. */
  readonly text: string;
}

export interface FrameReaderOptions {
  /** May throw. */
  readonly decodeHead: (bytes: Buffer) => unknown;
  readonly onFrame: (frame: Frame) => void;
}

/**
 * Takes a stream of bytes apart into messages. Node's own channel between processes is not used: what it can't read, and
 * messages that look like those of its own protocol, it throws out of its event loop, which ends the process that listens.
 */
export class FrameReader {
  /** UTF-8 bytes of the text of a message, at most. */
  textBytesMax = Number.POSITIVE_INFINITY;
  private readonly prefix = Buffer.alloc(FRAME_PREFIX_BYTES);
  private target = this.prefix;
  private filledBytes = 0;
  private headBytes = 0;

  constructor(private readonly options: FrameReaderOptions) {}

  /** @throws Error when the bytes are no frame, or one beyond its bounds; nothing can be read after that */
  push(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0;) {
      const taken = rest.copy(this.target, this.filledBytes);
      this.filledBytes += taken;
      rest = rest.subarray(taken);
      if (this.filledBytes === this.target.length) this.complete();
    }
  }

  private complete(): void {
    this.filledBytes = 0;
    if (this.target === this.prefix) {
      this.target = Buffer.allocUnsafe(this.readLengths());
      return;
    }
    const bytes = this.target;
    this.target = this.prefix;
    const head = this.options.decodeHead(bytes.subarray(0, this.headBytes));
    this.options.onFrame({ head, text: bytes.toString('utf8', this.headBytes) });
  }

  private readLengths(): number {
    this.headBytes = this.prefix.readUInt32BE(0);
    const textBytes = this.prefix.readUInt32BE(4);
    if (this.headBytes === 0) throw new RangeError('A message has no head.');
    if (this.headBytes > HEAD_BYTES_MAX) throw new RangeError('A message is too long.');
    if (textBytes > this.textBytesMax) throw new RangeError('The text of a message is too long.');
    return this.headBytes + textBytes;
  }
}
