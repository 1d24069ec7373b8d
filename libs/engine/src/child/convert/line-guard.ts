const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Measures lines as the bytes of a text pass by. */
export class LineGuard {
  /** Of the line that has not ended yet. */
  private openBytes = 0;

  constructor(private readonly lineBytesMax: number) {}

  /** @returns false once a line is longer than it may be */
  admits(bytes: Buffer): boolean {
    const first = firstEnd(bytes);
    const untilFirst = this.openBytes + (first < 0 ? bytes.length : first);
    this.openBytes = first < 0 ? untilFirst : bytes.length - 1 - lastEnd(bytes);
    // What lies between two ends in one piece is shorter than the piece, and pieces are short.
    return untilFirst <= this.lineBytesMax;
  }
}

function firstEnd(bytes: Buffer): number {
  const feed = bytes.indexOf(LINE_FEED);
  const before = feed < 0 ? bytes : bytes.subarray(0, feed);
  const carriage = before.indexOf(CARRIAGE_RETURN);
  return carriage < 0 ? feed : carriage;
}

function lastEnd(bytes: Buffer): number {
  return Math.max(bytes.lastIndexOf(LINE_FEED), bytes.lastIndexOf(CARRIAGE_RETURN));
}
