/**
 * Cuts a stream of bytes into pieces of a size, one after another. A stream that breaks ends its last piece there: what
 * has come is kept.
 */
export class PieceCutter {
  /** Why the stream broke. */
  failure: Error | undefined;
  private readonly source: AsyncIterator<Uint8Array>;
  /** The beginning of the next piece. */
  private rest: Uint8Array | undefined;

  constructor(
    bytes: AsyncIterable<Uint8Array>,
    private readonly pieceBytes: number,
  ) {
    this.source = bytes[Symbol.asyncIterator]();
  }

  /** Waits for a byte. */
  async hasMore(): Promise<boolean> {
    this.rest ??= await this.pull();
    return this.rest !== undefined;
  }

  /** The next piece, to be read to its end before there is another. */
  async *next(): AsyncGenerator<Uint8Array> {
    let leftBytes = this.pieceBytes;
    while (leftBytes > 0 && (await this.hasMore())) {
      const chunk = this.rest ?? new Uint8Array();
      const taken = chunk.subarray(0, leftBytes);
      this.rest = chunk.byteLength > taken.byteLength ? chunk.subarray(taken.byteLength) : undefined;
      leftBytes -= taken.byteLength;
      yield taken;
    }
  }

  /** The next chunk that has bytes. */
  private async pull(): Promise<Uint8Array | undefined> {
    if (this.failure !== undefined) return undefined;
    try {
      let next = await this.source.next();
      while (!next.done && next.value.byteLength === 0) next = await this.source.next();
      return next.done ? undefined : next.value;
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      return undefined;
    }
  }
}
