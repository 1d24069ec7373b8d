import { Transform, type TransformCallback } from 'node:stream';
import { conversionFailed, noRows } from './conversion-error.js';
import { JSON_BYTES } from './json-bytes.js';
import { TextInJson } from './text-in-json.js';

const { QUOTE, OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA, COLON, SPACE, NEWLINE } = JSON_BYTES;
const CARRIAGE_RETURN = 0x0d;
const LOWER_N = 0x6e;
/** What a byte may become: a bracket or a comma, and itself. */
const GROWTH_MAX = 2;

export interface RecordsWanted {
  /** On the way to the records, one at least. */
  readonly keys: readonly string[];
  /** The way as people write it. */
  readonly path: string;
  /** Whether the text may end within a value. */
  readonly isCut: boolean;
}

/**
 * Makes one list of the records at a path of a JSON text: of the elements of lists there, and of objects. All else becomes
 * spaces, so that each record stays in its line. Of several values at the top, each may have records.
 */
export class RecordExtractor extends Transform {
  /** Where the next byte is: outside of what is wanted, between the records of a list, or in a record. */
  private place: 'way' | 'list' | 'record' = 'way';
  private depth = 0;
  /** Keys of the path whose values are open. Each is an object within the one before, so this is a depth, too. */
  private matched = 0;
  private readonly text: TextInJson;
  private expectsKey = false;
  /** Whether the last key was the next one of the path, and then whether its value is what comes. */
  private isKeyOfPath = false;
  private isValueOfPath = false;
  private isFound = false;
  private recordCount = 0;
  /** Whether no record of this list, or of this object, was there yet. */
  private isFirst = true;
  private recordDepth = 0;
  private afterRecord: 'way' | 'list' = 'way';
  private line = 1;
  private copy: Buffer = Buffer.alloc(0);
  private length = 0;

  constructor(private readonly wanted: RecordsWanted) {
    super();
    this.text = new TextInJson(wanted.keys);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.copy = Buffer.allocUnsafe(GROWTH_MAX * chunk.length);
    this.length = 0;
    try {
      for (let at = 0; at < chunk.length; at += 1) this.follow(chunk[at] ?? 0);
    } catch (error) {
      return done(error as Error);
    }
    done(null, this.copy.subarray(0, this.length));
  }

  override _flush(done: TransformCallback): void {
    const { path, isCut } = this.wanted;
    const isOpen = this.depth > 0 || this.text.isOpen;
    if (isOpen && !isCut) return done(conversionFailed('The JSON ends in the middle of a value.', { line: this.line }));
    if (!this.isFound) return done(conversionFailed(`There is nothing at "${path}" in the JSON.`));
    if (this.recordCount === 0) return done(noRows(`There are no records at "${path}" in the JSON.`));
    done(null, isOpen ? '' : ']');
  }

  private follow(byte: number): void {
    if (byte === NEWLINE) this.line += 1;
    if (this.text.isOpen) return this.followText(byte);
    // A number or a word ends where something else begins.
    if (this.place === 'record' && this.depth === this.recordDepth && isBetween(byte)) this.endRecord();
    if (this.place === 'record') this.followRecord(byte);
    else if (this.place === 'list') this.followList(byte);
    else this.followWay(byte);
  }

  private followText(byte: number): void {
    this.give(byte);
    if (!this.text.follow(byte)) return;
    const key = this.text.takeKey();
    if (key !== undefined) this.isKeyOfPath = key === this.wanted.keys[this.matched];
    if (this.place === 'record' && this.depth === this.recordDepth) this.endRecord();
  }

  private followRecord(byte: number): void {
    this.give(byte);
    if (byte === QUOTE) this.text.begin({ isKey: false });
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      this.depth -= 1;
      if (this.depth === this.recordDepth) this.endRecord();
    }
  }

  private followList(byte: number): void {
    if (byte === COMMA) return this.put(byte);
    if (!isBetween(byte)) return this.beginRecord(byte, 'list');
    if (byte === CLOSE_LIST) {
      this.depth -= 1;
      this.place = 'way';
    }
    this.give(byte);
  }

  private followWay(byte: number): void {
    if (this.isValueOfPath && !isBetween(byte)) return this.enterValue(byte);
    this.give(byte);
    switch (byte) {
      case QUOTE:
        this.text.begin({ isKey: this.expectsKey && this.isOnWay() });
        return;
      case OPEN_OBJECT:
      case OPEN_LIST:
        this.depth += 1;
        this.expectsKey = byte === OPEN_OBJECT;
        return;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        if (this.isOnWay() && this.matched > 0) this.matched -= 1;
        this.depth -= 1;
        return;
      case COMMA:
        this.expectsKey = this.isOnWay();
        return;
      case COLON:
        this.isValueOfPath = this.isOnWay() && this.isKeyOfPath;
        this.expectsKey = false;
        this.isKeyOfPath = false;
    }
  }

  /** Whether the innermost value that is open is the one on the way. */
  private isOnWay(): boolean {
    return this.depth === this.matched + 1;
  }

  /** @param byte the first one of a value that is on the path */
  private enterValue(byte: number): void {
    this.isValueOfPath = false;
    if (this.matched + 1 < this.wanted.keys.length) {
      if (byte === OPEN_OBJECT) this.matched += 1;
      return this.followWay(byte);
    }
    this.isFound = true;
    this.isFirst = true;
    if (byte === OPEN_OBJECT) return this.beginRecord(byte, 'way');
    if (byte === LOWER_N) return this.followWay(byte);
    if (byte !== OPEN_LIST) {
      throw conversionFailed(`At "${this.wanted.path}" there is neither a list nor an object.`, { line: this.line });
    }
    this.give(byte);
    this.depth += 1;
    this.place = 'list';
  }

  private beginRecord(byte: number, afterwards: 'way' | 'list'): void {
    if (this.isFirst) this.put(this.recordCount === 0 ? OPEN_LIST : COMMA);
    this.isFirst = false;
    this.recordCount += 1;
    this.recordDepth = this.depth;
    this.afterRecord = afterwards;
    this.place = 'record';
    this.followRecord(byte);
  }

  private endRecord(): void {
    this.place = this.afterRecord;
  }

  /** Gives a byte of a record; in the place of any other, a space. */
  private give(byte: number): void {
    const isLineEnd = byte === NEWLINE || byte === CARRIAGE_RETURN;
    this.put(this.place === 'record' || isLineEnd ? byte : SPACE);
  }

  private put(byte: number): void {
    this.copy[this.length] = byte;
    this.length += 1;
  }
}

/** White space, and what stands between or behind the values of a list. */
function isBetween(byte: number): boolean {
  return byte === SPACE || (byte >= 0x09 && byte <= 0x0d) || byte === COMMA || byte === CLOSE_LIST;
}
