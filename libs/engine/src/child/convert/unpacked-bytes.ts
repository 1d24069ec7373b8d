import type { LineGuard } from './line-guard.js';

/** What was unpacked, of all parts of a file. A line may go on from one to the next. */
export class UnpackedBytes {
  hasLongLine = false;
  private bytes = 0;
  private lines: LineGuard | undefined;

  constructor(
    private readonly bytesMax: number,
    private readonly guardOf: (head: Buffer) => LineGuard | undefined = () => undefined,
  ) {}

  get isExceeded(): boolean {
    return this.bytes > this.bytesMax;
  }

  /** @returns whether it may go on */
  add(chunk: Buffer): boolean {
    if (this.bytes === 0) this.lines = this.guardOf(chunk);
    this.bytes += chunk.length;
    this.hasLongLine = this.lines?.admits(chunk) === false;
    return !this.isExceeded && !this.hasLongLine;
  }
}
