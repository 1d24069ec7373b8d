/** Of the characters beyond ASCII in a text of single bytes, so many may look like UTF-8 by chance. */
const CHANCE_MAX = 0.1;

/** No characters in Windows-1252. */
const UNDEFINED_BYTES: ReadonlySet<number> = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);

/** Counts what a text that is not UTF-8 is made of, as its bytes pass by. */
export class ByteCensus {
  /** Sequences of several bytes as UTF-8 has them, if perhaps for no character. */
  sequenceCount = 0;
  /** Bytes beyond ASCII that belong to none. */
  strayCount = 0;
  private hasUndefined = false;
  /** Bytes of the sequence that has begun, and those that it still needs. */
  private begun = 0;
  private wanted = 0;

  /** Whether the text is UTF-8 with something broken in it, rather than one of single bytes. */
  get isMostlyUtf8(): boolean {
    return this.sequenceCount > CHANCE_MAX * this.strayCount;
  }

  /** Whether every byte is a character in Windows-1252. */
  get isWindows1252(): boolean {
    return !this.hasUndefined;
  }

  observe(piece: Buffer): void {
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      if (byte >= 0x80) this.follow(byte);
      else if (this.wanted > 0) this.breakOff();
    }
  }

  /** A sequence that the end of the text cuts off is one, if more than its first byte is there. */
  finish(): void {
    if (this.wanted > 0 && this.begun > 1) this.sequenceCount += 1;
    else if (this.wanted > 0) this.breakOff();
    this.wanted = 0;
  }

  private follow(byte: number): void {
    this.hasUndefined ||= UNDEFINED_BYTES.has(byte);
    const continues = byte < 0xc0;
    if (continues && this.wanted > 0) return this.goOn();
    if (this.wanted > 0) this.breakOff();
    const length = lengthAfter(byte);
    if (length === 0) this.strayCount += 1;
    this.begun = 1;
    this.wanted = length;
  }

  private goOn(): void {
    this.begun += 1;
    this.wanted -= 1;
    if (this.wanted === 0) this.sequenceCount += 1;
  }

  private breakOff(): void {
    this.strayCount += this.begun;
    this.wanted = 0;
  }
}

/** How many bytes follow the first one of a sequence; none after a byte that begins none. */
function lengthAfter(byte: number): number {
  if (byte < 0xc2 || byte > 0xf4) return 0;
  if (byte < 0xe0) return 1;
  return byte < 0xf0 ? 2 : 3;
}
