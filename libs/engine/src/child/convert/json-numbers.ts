import { createReadStream, createWriteStream } from 'node:fs';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { JSON_BYTES } from './json-bytes.js';
import type { TextObserver } from './text-check.js';
import { TextInJson } from './text-in-json.js';

const { QUOTE, OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA, COLON, MINUS, SPACE } = JSON_BYTES;
const CHUNK_BYTES = 1024 * 1024;
/** The name that DuckDB gives to the column of records that are no objects. */
const RECORD_ITSELF = 'json';

/** Where a JSON text is and where its copy goes. */
export interface NumberQuoting {
  readonly source: string;
  readonly target: string;
  /** Keys of records. */
  readonly names: ReadonlySet<string>;
  /** Sees the copy. */
  readonly observer?: Pick<TextObserver, 'observe'>;
  readonly signal: AbortSignal;
}

/**
 * Copies a JSON text with the numbers under some keys of its records as texts. DuckDB's JSON reader takes fractions for
 * doubles before it looks at the type that is wanted: for a DECIMAL, 12345678901234567.12 comes out as …567.68. As a text a
 * number keeps its digits.
 */
export async function quoteNumbers({ source, target, names, observer, signal }: NumberQuoting): Promise<void> {
  const input = createReadStream(source, { highWaterMark: CHUNK_BYTES });
  await pipeline(input, new NumberQuoter(names, (piece) => observer?.observe(piece)), createWriteStream(target), {
    signal,
  });
}

class NumberQuoter extends Transform {
  private readonly open: number[] = [];
  private readonly text: TextInJson;
  private inNumber = false;
  /** Whether the next text is a key. */
  private expectsKey = false;
  private isWantedKey = false;

  constructor(
    private readonly names: ReadonlySet<string>,
    private readonly onPiece: (piece: Buffer) => void,
  ) {
    super();
    this.text = new TextInJson(names);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    // At most one mark before each byte.
    const copy = Buffer.allocUnsafe(2 * chunk.length);
    let length = 0;
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (!this.isBorder(chunk[at] ?? 0)) continue;
      length += chunk.copy(copy, length, start, at);
      copy[length] = QUOTE;
      length += 1;
      start = at;
    }
    length += chunk.copy(copy, length, start);
    this.give(copy.subarray(0, length));
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.inNumber) this.give(Buffer.of(QUOTE));
    done();
  }

  private give(piece: Buffer): void {
    this.onPiece(piece);
    this.push(piece);
  }

  /** Whether a number that is to be a text begins or ends before this byte. */
  private isBorder(byte: number): boolean {
    if (this.text.isOpen) {
      this.followText(byte);
      return false;
    }
    const wasInNumber = this.inNumber;
    if (wasInNumber) this.inNumber = !isEnd(byte);
    else this.inNumber = (byte === MINUS || (byte >= 0x30 && byte <= 0x39)) && this.isWanted();
    this.followStructure(byte);
    return this.inNumber !== wasInNumber;
  }

  private followText(byte: number): void {
    if (!this.text.follow(byte)) return;
    const key = this.text.takeKey();
    if (key !== undefined) this.isWantedKey = this.names.has(key);
  }

  private followStructure(byte: number): void {
    switch (byte) {
      case QUOTE:
        this.text.begin({ isKey: this.expectsKey && this.isRecord() });
        return;
      case OPEN_OBJECT:
      case OPEN_LIST:
        this.open.push(byte);
        this.expectsKey = byte === OPEN_OBJECT;
        return;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        this.open.pop();
        this.expectsKey = false;
        return;
      case COMMA:
        this.expectsKey = this.open.at(-1) === OPEN_OBJECT;
        return;
      case COLON:
        this.expectsKey = false;
    }
  }

  /** Whether this is an object that becomes a row: the whole text, one value of it, or one of its only list. */
  private isRecord(): boolean {
    const [first, second] = this.open;
    return this.open.length === 1
      ? first === OPEN_OBJECT
      : this.open.length === 2 && second === OPEN_OBJECT && first === OPEN_LIST;
  }

  private isWanted(): boolean {
    if (this.isRecord()) return !this.expectsKey && this.isWantedKey;
    const isBetweenRecords = this.open.length === 0 || (this.open.length === 1 && this.open[0] === OPEN_LIST);
    return isBetweenRecords && this.names.has(RECORD_ITSELF);
  }
}

function isEnd(byte: number): boolean {
  return (
    byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST || byte === SPACE || (byte >= 0x09 && byte <= 0x0d)
  );
}
