import { createReadStream } from 'node:fs';
import { JSON_BYTES } from './json-bytes.js';

const { QUOTE, BACKSLASH, OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA, SPACE, NEWLINE } = JSON_BYTES;
const CHUNK_BYTES = 1024 * 1024;

export interface RecordWanted {
  /** From 1. */
  readonly number: number;
  /** Whether the text is one list, whose elements are the records; else each value of the text is one. */
  readonly isOneList: boolean;
  /** Whether the last record is meant when there are not so many, as when `[1,]` is said to be wrong at the third. */
  readonly orLast?: boolean;
}

/**
 * The line in which a record of a JSON text begins: DuckDB counts records, unless each stands on a line. Undefined when
 * there are not so many, unless the last one will do. After an error only; a text that is wrong may be counted wrongly
 * behind its fault.
 */
export async function lineOfRecord(path: string, wanted: RecordWanted): Promise<number | undefined> {
  const walk = new RecordWalk(wanted);
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    const line = walk.feed(chunk as Buffer);
    if (line !== undefined) return line;
  }
  return wanted.orLast ? walk.lastLine : undefined;
}

class RecordWalk {
  /** Where the last record so far begins. */
  lastLine: number | undefined;
  private readonly recordDepth: number;
  private recordsLeft: number;
  private depth = 0;
  private line = 1;
  private inString = false;
  private isEscaped = false;
  private isBetween = true;

  constructor({ number, isOneList }: RecordWanted) {
    this.recordDepth = isOneList ? 1 : 0;
    this.recordsLeft = number;
  }

  /** The line of the record that was wanted, once it begins. */
  feed(chunk: Buffer): number | undefined {
    for (const byte of chunk) {
      if (this.inString) this.followText(byte);
      else if (this.begins(byte)) {
        this.recordsLeft -= 1;
        this.lastLine = this.line;
        if (this.recordsLeft === 0) return this.line;
      }
      if (byte === NEWLINE) this.line += 1;
    }
    return undefined;
  }

  private followText(byte: number): void {
    if (this.isEscaped) this.isEscaped = false;
    else if (byte === BACKSLASH) this.isEscaped = true;
    else if (byte === QUOTE) this.inString = false;
  }

  /** Whether a record begins with this byte. */
  private begins(byte: number): boolean {
    const isSpace = byte === SPACE || (byte >= 0x09 && byte <= 0x0d);
    const isOpening = byte === OPEN_OBJECT || byte === OPEN_LIST;
    const isClosing = byte === CLOSE_OBJECT || byte === CLOSE_LIST;
    const atRecords = this.depth === this.recordDepth;
    const isSeparator = isSpace || (this.recordDepth === 1 && byte === COMMA);
    const begins = atRecords && this.isBetween && !isSeparator && !isClosing;
    if (atRecords) this.isBetween = isSeparator;
    this.inString = byte === QUOTE;
    if (isOpening) this.depth += 1;
    if (isClosing) {
      this.depth -= 1;
      // What follows a value that is closed is another one.
      this.isBetween = this.depth === this.recordDepth;
    }
    if (isOpening && this.depth === this.recordDepth) this.isBetween = true;
    return begins;
  }
}
