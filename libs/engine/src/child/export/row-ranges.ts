/** Neighbouring rows that leave together. */
export interface RowRange {
  readonly offset: number;
  readonly rowCount: number;
  /** Whether it is one row that is too long for one statement. */
  readonly isLong: boolean;
}

/**
 * Cuts rows into ranges whose texts have few enough bytes for a statement, which holds those of some 2,048 rows at a time,
 * each several times.
 */
export class RowRanges {
  private readonly found: RowRange[] = [];
  private next = 0;
  private isClosed = true;

  /** @param bytesMax of texts that a statement may hold */
  constructor(private readonly bytesMax: number) {}

  /** Adds rows that a statement would hold together, by their bytes. */
  add(sizes: readonly number[]): void {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (total <= this.bytesMax) return this.append(sizes.length);
    let bytes = Number.POSITIVE_INFINITY;
    for (const size of sizes) {
      if (size > this.bytesMax) {
        this.begin(true);
        bytes = Number.POSITIVE_INFINITY;
        continue;
      }
      bytes += size;
      if (bytes > this.bytesMax) {
        this.begin(false);
        bytes = size;
      } else this.append(1);
    }
    this.isClosed = true;
  }

  all(): readonly RowRange[] {
    return this.found;
  }

  private begin(isLong: boolean): void {
    this.found.push({ offset: this.next, rowCount: 1, isLong });
    this.next += 1;
    this.isClosed = isLong;
  }

  private append(rowCount: number): void {
    const last = this.found.at(-1);
    if (!last || this.isClosed) this.found.push({ offset: this.next, rowCount, isLong: false });
    else this.found[this.found.length - 1] = { ...last, rowCount: last.rowCount + rowCount };
    this.next += rowCount;
    this.isClosed = false;
  }
}
