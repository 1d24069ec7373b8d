/** A text of each row, in bytes outside of the heap of JavaScript, which is small. */
export class RowTexts {
  /** Where the text of each row ends. */
  private readonly ends: Uint32Array;
  private readonly bytes: Buffer;

  constructor(texts: readonly string[]) {
    let end = 0;
    this.ends = Uint32Array.from(texts, (text) => (end += Buffer.byteLength(text)));
    this.bytes = Buffer.allocUnsafe(end);
    // Not joined before: that would be a third copy, in a heap that is small.
    for (const [row, text] of texts.entries()) this.bytes.write(text, this.ends[row - 1] ?? 0);
  }

  get rowCount(): number {
    return this.ends.length;
  }

  get byteLength(): number {
    return this.bytes.length;
  }

  /** The bytes of a row. */
  at(row: number): Buffer {
    return this.bytes.subarray(this.ends[row - 1] ?? 0, this.ends[row]);
  }
}
