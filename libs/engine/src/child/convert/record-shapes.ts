import { JSON_BYTES } from './json-bytes.js';
import { significantDigits } from './number-shape.js';

const { QUOTE, BACKSLASH, OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA, COLON, MINUS, SPACE, NEWLINE } =
  JSON_BYTES;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const CARRIAGE_RETURN = 0x0d;
const TAB = 0x09;
const PLUS = 0x2b;
const UPPER_E = 0x45;
const LOWER_A = 0x61;
const LOWER_E = 0x65;
const LOWER_N = 0x6e;

/** Deeper ones are left to those who say where the limit is. */
const DEPTH_MAX = 16;
/** Integers of fewer digits are no more than a DOUBLE holds, and of no more are BIGINTs. */
const LARGE_INTEGER_DIGITS = 16;
const BIGINT_DIGITS = 18;
/** More digits that count are lost in a DOUBLE. */
const DOUBLE_DIGITS = 17;
/** An exponent of fewer is no more than a DOUBLE holds. */
const LARGE_EXPONENT_DIGITS = 3;
/** DuckDB takes an object for a map when its keys are in less than a tenth of such objects; this is well above. */
const KEY_SHARE_MIN = 0.2;

/** The kinds of values that the reader tells from each other, as bits. */
const KIND = {
  null: 1,
  boolean: 2,
  positive: 4,
  negative: 8,
  large: 16,
  fraction: 32,
  text: 64,
  object: 128,
  list: 256,
} as const;

const WORDS = [
  { bytes: Buffer.from('null'), kind: KIND.null },
  { bytes: Buffer.from('true'), kind: KIND.boolean },
  { bytes: Buffer.from('false'), kind: KIND.boolean },
];

/** What was seen at one place of the records: under a key, or among the elements of a list. */
interface Shape {
  kinds: number;
  /** The key as it is written, with the quote behind it. */
  readonly key: Buffer;
  readonly index: number;
  readonly members: Shape[];
  readonly byKey: Map<string, Shape>;
  element: Shape | undefined;
  objectCount: number;
  /** Members of all these objects that are not null. */
  valueCount: number;
}

/** In place of where something ends: it is not admitted. */
const NOWHERE = -1;

/**
 * Learns from the first records of a text what kinds of values stand at which places, and then holds the others to it.
 * What DuckDB finds in the first records is then what it would find in all of them. Each record is an object on a line of
 * its own. What is unusual is not admitted: numbers that lose digits, escapes in keys, deep nesting. That the text is JSON
 * at all is left to the reader.
 *
 * Every byte of a file comes by here. Each method takes where something begins and gives where it ends, and none looks
 * behind the line end that ends the lines: the engine is quick with numbers only as long as it has met nothing else.
 */
export class RecordShapes {
  recordCount = 0;
  private readonly root = newShape(Buffer.alloc(0), 0);
  private isSettled = false;
  private bytes: Buffer = Buffer.alloc(0);

  /** From now on there is nothing new. */
  settle(): void {
    this.isSettled = true;
  }

  /**
   * @param lines ends with a line end
   * @returns whether all of it may be; after a `false`, nothing is known any more
   */
  admit(lines: Buffer): boolean {
    this.bytes = lines;
    for (let at = 0; at < lines.length; at += 1) {
      at = this.passSpace(at);
      if (lines[at] === NEWLINE) continue;
      if (lines[at] !== OPEN_OBJECT) return false;
      at = this.object(at, this.root, 1);
      if (at < 0) return false;
      at = this.passSpace(at);
      if (lines[at] !== NEWLINE) return false;
      this.recordCount += 1;
    }
    return true;
  }

  /** Whether the types depend on nothing but the kinds: not on how often they are, and not on a number beside fractions. */
  get areTyped(): boolean {
    return areTyped(this.root);
  }

  private value(at: number, shape: Shape, depth: number): number {
    const byte = this.bytes[at] ?? 0;
    switch (byte) {
      case QUOTE:
        return this.sees(shape, KIND.text) ? this.passText(at + 1) : NOWHERE;
      case OPEN_OBJECT:
        return this.sees(shape, KIND.object) && depth < DEPTH_MAX ? this.object(at, shape, depth + 1) : NOWHERE;
      case OPEN_LIST:
        return this.sees(shape, KIND.list) && depth < DEPTH_MAX ? this.list(at, shape, depth + 1) : NOWHERE;
      default:
        return byte >= LOWER_A ? this.word(at, shape) : this.number(at, shape);
    }
  }

  private sees(shape: Shape, kind: number): boolean {
    if ((shape.kinds & kind) !== 0) return true;
    if (this.isSettled) return false;
    shape.kinds |= kind;
    return true;
  }

  private object(start: number, shape: Shape, depth: number): number {
    const { bytes } = this;
    shape.objectCount += 1;
    let at = this.passSpace(start + 1);
    if (bytes[at] === CLOSE_OBJECT) return at + 1;
    for (let index = 0; ;) {
      if (bytes[at] !== QUOTE) return NOWHERE;
      const member = this.member(at + 1, shape, index);
      if (member === undefined) return NOWHERE;
      index = member.index + 1;
      at = this.passSpace(at + 1 + member.key.length);
      if (bytes[at] !== COLON) return NOWHERE;
      at = this.passSpace(at + 1);
      if (bytes[at] !== LOWER_N) shape.valueCount += 1;
      at = this.value(at, member, depth);
      if (at < 0) return NOWHERE;
      at = this.passSpace(at);
      if (bytes[at] === CLOSE_OBJECT) return at + 1;
      if (bytes[at] !== COMMA) return NOWHERE;
      at = this.passSpace(at + 1);
    }
  }

  private list(start: number, shape: Shape, depth: number): number {
    const { bytes } = this;
    let at = this.passSpace(start + 1);
    if (bytes[at] === CLOSE_LIST) return at + 1;
    const element = (shape.element ??= newShape(Buffer.alloc(0), 0));
    for (;;) {
      at = this.value(at, element, depth);
      if (at < 0) return NOWHERE;
      at = this.passSpace(at);
      if (bytes[at] === CLOSE_LIST) return at + 1;
      if (bytes[at] !== COMMA) return NOWHERE;
      at = this.passSpace(at + 1);
    }
  }

  /** Of the key that stands here; most records have the same ones in the same order. */
  private member(at: number, shape: Shape, index: number): Shape | undefined {
    if (index < shape.members.length) {
      const likely = shape.members[index];
      if (likely !== undefined && this.standsAt(at, likely.key)) return likely;
    }
    const key = this.bytes.subarray(at, this.bytes.indexOf(QUOTE, at) + 1);
    // One key written in two ways would be two places.
    if (key.length === 0 || key.includes(BACKSLASH)) return undefined;
    const name = key.toString('latin1');
    const known = shape.byKey.get(name);
    if (known !== undefined || this.isSettled) return known;
    const added = newShape(Buffer.from(key), shape.members.length);
    shape.members.push(added);
    shape.byKey.set(name, added);
    return added;
  }

  private standsAt(at: number, word: Buffer): boolean {
    const { bytes } = this;
    const { length } = word;
    if (at + length > bytes.length) return false;
    for (let index = 0; index < length; index += 1) if (bytes[at + index] !== word[index]) return false;
    return true;
  }

  private passText(start: number): number {
    const { bytes } = this;
    const { length } = bytes;
    for (let at = start; at < length; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) at += 1;
    }
    return NOWHERE;
  }

  private word(at: number, shape: Shape): number {
    const word = WORDS.find(({ bytes }) => this.standsAt(at, bytes));
    return word !== undefined && this.sees(shape, word.kind) ? at + word.bytes.length : NOWHERE;
  }

  private number(at: number, shape: Shape): number {
    const { bytes } = this;
    const isNegative = bytes[at] === MINUS;
    const start = isNegative ? at + 1 : at;
    const end = passDigits(bytes, start);
    const digits = end - start;
    const next = bytes[end];
    if (next === POINT || next === LOWER_E || next === UPPER_E) {
      return digits < LARGE_INTEGER_DIGITS && this.sees(shape, KIND.fraction)
        ? passFraction(bytes, start, end)
        : NOWHERE;
    }
    // What a zero with a sign becomes is nobody's business here.
    if (digits === 0 || digits > BIGINT_DIGITS || (isNegative && bytes[start] === ZERO)) return NOWHERE;
    if (digits >= LARGE_INTEGER_DIGITS && !this.sees(shape, KIND.large)) return NOWHERE;
    return this.sees(shape, isNegative ? KIND.negative : KIND.positive) ? end : NOWHERE;
  }

  private passSpace(start: number): number {
    const { bytes } = this;
    if ((bytes[start] ?? 0) > SPACE) return start;
    let at = start;
    while (at < bytes.length && (bytes[at] === SPACE || bytes[at] === TAB || bytes[at] === CARRIAGE_RETURN)) at += 1;
    return at;
  }
}

/** Passes a number with a point or an exponent; nowhere when a DOUBLE loses some of it. */
function passFraction(bytes: Buffer, start: number, integerEnd: number): number {
  const end = bytes[integerEnd] === POINT ? passDigits(bytes, integerEnd + 1) : integerEnd;
  const isLong = end - start - 1 > DOUBLE_DIGITS;
  if (isLong && significantDigits(bytes.subarray(start, end)) > DOUBLE_DIGITS) return NOWHERE;
  if (bytes[end] !== LOWER_E && bytes[end] !== UPPER_E) return end;
  const isSigned = bytes[end + 1] === MINUS || bytes[end + 1] === PLUS;
  const exponent = isSigned ? end + 2 : end + 1;
  const exponentEnd = passDigits(bytes, exponent);
  return exponentEnd - exponent < LARGE_EXPONENT_DIGITS ? exponentEnd : NOWHERE;
}

function passDigits(bytes: Buffer, start: number): number {
  let at = start;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < ZERO || byte > NINE) break;
  }
  return at;
}

function newShape(key: Buffer, index: number): Shape {
  return { kinds: 0, key, index, members: [], byKey: new Map(), element: undefined, objectCount: 0, valueCount: 0 };
}

function areTyped({ kinds, members, element, objectCount, valueCount }: Shape): boolean {
  if ((kinds & KIND.large) !== 0 && (kinds & KIND.fraction) !== 0) return false;
  if (valueCount < KEY_SHARE_MIN * members.length * objectCount) return false;
  return members.every(areTyped) && (element === undefined || areTyped(element));
}
