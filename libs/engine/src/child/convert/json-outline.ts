import { LISTS_MAX } from '../../types/type-nesting.js';
import { beyondLimit, conversionFailed } from './conversion-error.js';
import { JSON_BYTES } from './json-bytes.js';
import { NumberShape } from './number-shape.js';
import type { TextObserver } from './text-check.js';

const { QUOTE, BACKSLASH, OPEN_OBJECT, OPEN_LIST, NEWLINE } = JSON_BYTES;
/** A double written and read again needs at most 17 digits; more than that are lost. */
const DOUBLE_DIGITS = 17;
/** Integers of fewer digits, and numbers with an exponent of fewer, are no more than a DOUBLE holds. */
const LARGE_INTEGER_DIGITS = 16;
const LARGE_EXPONENT_DIGITS = 3;

/** By byte: 1 for all but line ends, quotes, brackets and digits. */
const MEANS_NOTHING = new Uint8Array(256).fill(1);
for (const byte of Buffer.from('\n"{}[]0123456789')) MEANS_NOTHING[byte] = 0;

/** Follows the brackets and numbers of a JSON text: deep nesting would run a parser out of stack. */
export class JsonOutline implements TextObserver {
  private readonly open: number[] = [];
  private lists = 0;
  private inString = false;
  private isEscaped = false;
  /** The line of the outermost bracket that is open. */
  private openedAt = 1;
  private line = 1;
  private lastLine = 1;
  private rootCount = 0;
  private isFirstRootList = false;
  private readonly number = new NumberShape();
  private roundedAt: number | undefined;
  private largeAt: number | undefined;

  constructor(private readonly nestingMax: number) {}

  /** Whether the text is one list, whose elements are the records; else each value is one. */
  get isOneList(): boolean {
    return this.rootCount === 1 && this.isFirstRootList;
  }

  /** The first line with a fraction of more digits than a DOUBLE keeps. */
  get roundedLine(): number | undefined {
    return this.roundedAt;
  }

  /** The first line with an integer or an exponent so long that a DOUBLE may not hold it, while other types may. */
  get largeLine(): number | undefined {
    return this.largeAt;
  }

  /** @throws DomainError `conversion.limit` */
  observe(piece: Buffer): void {
    // Every byte of every file comes by here: what means nothing is passed over without a call for each.
    for (let at = 0; at < piece.length; at += 1) {
      const next = this.nextMeaning(piece, at);
      if (next > at) this.lastLine = this.line;
      at = next;
      const byte = piece[at];
      if (byte !== undefined) this.follow(byte);
    }
  }

  /** @throws DomainError `conversion.failed` when the text ends within a value */
  finish(): void {
    if (this.number.isOpen) this.endNumber();
    if (!this.inString && this.open.length === 0) return;
    // A list may be the whole text, of which the end is missing; an object is a record that was not closed.
    const line = this.open[0] === OPEN_LIST ? this.lastLine : this.openedAt;
    throw conversionFailed(`The JSON ends in the middle of a value that began in line ${this.openedAt}.`, { line });
  }

  /** Where the next byte is that has to be followed, from a place on. */
  private nextMeaning(piece: Buffer, start: number): number {
    if (this.isEscaped || this.number.isOpen) return start;
    return this.inString ? passText(piece, start) : passBetween(piece, start);
  }

  private follow(byte: number): void {
    if (byte === NEWLINE) this.line += 1;
    else this.lastLine = this.line;
    if (this.isEscaped) this.isEscaped = false;
    else if (this.inString) this.inText(byte);
    else this.outside(byte);
  }

  private inText(byte: number): void {
    if (byte === BACKSLASH) this.isEscaped = true;
    else if (byte === QUOTE) this.inString = false;
  }

  private outside(byte: number): void {
    if (this.number.follow(byte)) return;
    if (this.number.isOpen) this.endNumber();
    switch (byte) {
      case QUOTE:
        this.inString = true;
        return;
      case OPEN_OBJECT:
      case OPEN_LIST:
        this.enter(byte);
        return;
      case 0x7d: // }
      case 0x5d: // ]
        if (this.open.pop() === OPEN_LIST) this.lists -= 1;
    }
  }

  private endNumber(): void {
    const { isFraction, significantDigits, integerDigits, exponentDigits } = this.number;
    if (isFraction && significantDigits > DOUBLE_DIGITS) this.roundedAt ??= this.lastLine;
    if (integerDigits >= LARGE_INTEGER_DIGITS || exponentDigits >= LARGE_EXPONENT_DIGITS)
      this.largeAt ??= this.lastLine;
    this.number.clear();
  }

  private enter(bracket: number): void {
    if (this.open.length === 0) {
      this.openedAt = this.line;
      if (this.rootCount === 0) this.isFirstRootList = bracket === OPEN_LIST;
      this.rootCount += 1;
    }
    this.open.push(bracket);
    if (bracket === OPEN_LIST) this.lists += 1;
    if (this.open.length > this.nestingMax) {
      throw beyondLimit(`Line ${this.line}: the JSON is nested deeper than ${this.nestingMax} levels.`);
    }
    // The outermost list may be the one of the records.
    if (this.lists > LISTS_MAX + 1) {
      throw beyondLimit(`Line ${this.line}: there are more than ${LISTS_MAX} lists within each other.`);
    }
  }
}

/** Where the next byte is that ends a text, or may. */
function passText(piece: Buffer, start: number): number {
  let at = start;
  for (; at < piece.length; at += 1) {
    const byte = piece[at];
    if (byte === QUOTE || byte === BACKSLASH || byte === NEWLINE) break;
  }
  return at;
}

/** Where the next byte is that means something between texts and numbers. */
function passBetween(piece: Buffer, start: number): number {
  let at = start;
  while (at < piece.length && MEANS_NOTHING[piece[at] ?? 0] === 1) at += 1;
  return at;
}
