import { createReadStream } from 'node:fs';

const CHUNK_BYTES = 1024 * 1024;
const HEAD_BYTES_MAX = 16 * 1024;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');
const LF = 0x0a;
const CR = 0x0d;

/** What tells where a record of a CSV file ends. */
export interface RecordRules {
  /** What may stand between two fields: the one delimiter, or each that is possible. */
  readonly delimiters: readonly string[];
  /** Empty for none. */
  readonly quote: string;
  readonly escape: string;
  readonly comment: string;
}

/** A line of a CSV file, or several when a quoted field goes over them. */
export interface CsvRecord {
  /** Where it begins in the file, from 1. */
  readonly line: number;
  /** How many begin up to here, from 1, blank ones and comments counted. */
  readonly number: number;
  readonly kind: 'data' | 'blank' | 'comment';
  /** How it begins. */
  readonly head: string;
}

/**
 * The first record of a file that is wanted. DuckDB counts records where people count lines: only a walk over the bytes
 * tells one from the other. It is done after an error only.
 */
export async function findRecord(
  path: string,
  rules: RecordRules,
  isWanted: (record: CsvRecord) => boolean,
): Promise<CsvRecord | undefined> {
  const walk = new RecordWalk(rules);
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    const found = walk.feed(chunk as Buffer, isWanted);
    if (found) return found;
  }
  return walk.end(isWanted);
}

/**
 * Where the last record ends that is whole in the beginning of a file; 0 when none is. What comes at its very end may go
 * on behind it.
 */
export function endOfRecords(bytes: Buffer, rules: RecordRules): number {
  const walk = new RecordWalk(rules);
  walk.feed(bytes, () => false);
  return walk.endOfLast;
}

interface OpenRecord {
  readonly line: number;
  readonly number: number;
  kind: CsvRecord['kind'];
  head: Buffer;
}

type Place = 'record' | 'field' | 'text' | 'quoted' | 'escaped' | 'closed' | 'comment';

/** Follows the bytes of a file from record to record. */
class RecordWalk {
  private readonly separators: ReadonlySet<number>;
  private readonly quote: number;
  private readonly escape: number;
  private readonly comment: number;
  private place: Place = 'record';
  private line = 1;
  private afterCr = false;
  private record = newRecord(1, 1);
  private isAtStart = true;
  /** Behind the last record that has ended, in the last piece that was fed. */
  endOfLast = 0;

  constructor({ delimiters, quote, escape, comment }: RecordRules) {
    const lastByte = (text: string): number => Buffer.from(text).at(-1) ?? -1;
    this.separators = new Set(delimiters.map(lastByte));
    this.quote = lastByte(quote);
    this.escape = lastByte(escape);
    this.comment = lastByte(comment);
  }

  feed(chunk: Buffer, isWanted: (record: CsvRecord) => boolean): CsvRecord | undefined {
    let start = this.isAtStart && chunk.indexOf(BYTE_ORDER_MARK) === 0 ? BYTE_ORDER_MARK.length : 0;
    this.isAtStart = false;
    for (let at = start; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      const isSecondHalf = byte === LF && this.afterCr;
      this.afterCr = byte === CR;
      if (isSecondHalf) {
        if (this.place === 'record') {
          start = at + 1;
          this.endOfLast = start;
        }
      } else if (byte !== LF && byte !== CR) {
        this.follow(byte);
      } else if (this.isWithinQuotes()) {
        this.line += 1;
        this.place = 'quoted';
      } else {
        this.keepHead(chunk.subarray(start, at));
        const ended = this.endRecord();
        if (isWanted(ended)) return ended;
        start = at + 1;
        this.endOfLast = start;
      }
    }
    this.keepHead(chunk.subarray(start));
    return undefined;
  }

  /** The last record may have no line end. */
  end(isWanted: (record: CsvRecord) => boolean): CsvRecord | undefined {
    if (this.place === 'record') return undefined;
    const ended = this.endRecord();
    return isWanted(ended) ? ended : undefined;
  }

  private follow(byte: number): void {
    switch (this.place) {
      case 'comment':
        return;
      case 'escaped':
        this.place = 'quoted';
        return;
      case 'quoted':
        if (byte === this.escape && byte !== this.quote) this.place = 'escaped';
        else if (byte === this.quote) this.place = 'closed';
        return;
      case 'closed':
        // A doubled quote is one in the text.
        this.place = byte === this.quote && this.escape === this.quote ? 'quoted' : this.placeAfter(byte);
        return;
      case 'record':
        this.record.kind = byte === this.comment ? 'comment' : 'data';
        this.place = byte === this.quote ? 'quoted' : this.placeAfter(byte);
        return;
      case 'field':
        this.place = byte === this.quote ? 'quoted' : this.placeAfter(byte);
        return;
      case 'text':
        this.place = this.placeAfter(byte);
    }
  }

  private placeAfter(byte: number): Place {
    if (byte === this.comment) return 'comment';
    return this.separators.has(byte) ? 'field' : 'text';
  }

  private isWithinQuotes(): boolean {
    return this.place === 'quoted' || this.place === 'escaped';
  }

  private keepHead(bytes: Buffer): void {
    const { head } = this.record;
    if (head.length >= HEAD_BYTES_MAX || bytes.length === 0) return;
    this.record.head = Buffer.concat([head, bytes.subarray(0, HEAD_BYTES_MAX - head.length)]);
  }

  private endRecord(): CsvRecord {
    const { line, number, kind, head } = this.record;
    this.line += 1;
    this.place = 'record';
    this.record = newRecord(this.line, number + 1);
    return { line, number, kind, head: head.toString('utf8') };
  }
}

function newRecord(line: number, number: number): OpenRecord {
  return { line, number, kind: 'blank', head: Buffer.alloc(0) };
}
