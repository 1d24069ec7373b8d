/** A place in a text as editors show it: both from 1; the column counts code points, not bytes. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/**
 * The line and column of a byte of a text. The positions of DuckDB's syntax tree and binder count UTF-8 bytes.
 *
 * A line ends with `\n`, `\r\n` or a lone `\r`, and its end still belongs to it. An offset inside a character means
 * that character, one behind the end the place behind the last character, a negative one the beginning.
 *
 * @param byteOffset from 0, in UTF-8 bytes
 */
export function placeOf(text: string, byteOffset: number): TextPlace {
  const walker = start();
  advance(text, walker, byteOffset);
  return placeOfWalker(walker);
}

/**
 * The places of many bytes in one pass over the text, in the order in which they were asked for. One `placeOf` each
 * would cost the length of the text every time.
 */
export function placesOf(text: string, byteOffsets: readonly number[]): TextPlace[] {
  return findMany(text, byteOffsets, placeOfWalker);
}

function findMany<T>(text: string, byteOffsets: readonly number[], read: (walker: Walker) => T): T[] {
  const walker = start();
  const found = new Map<number, T>();
  for (const byteOffset of byteOffsets.toSorted((a, b) => a - b)) {
    advance(text, walker, byteOffset);
    found.set(byteOffset, read(walker));
  }
  return byteOffsets.map((byteOffset) => found.get(byteOffset) ?? read(start()));
}

function start(): Walker {
  return { index: 0, byte: 0, line: 1, column: 1 };
}

function placeOfWalker({ line, column }: Walker): TextPlace {
  return { line, column };
}

interface Walker {
  index: number;
  byte: number;
  line: number;
  column: number;
}

/** Moves to the character that holds a byte, or to the end. */
function advance(text: string, walker: Walker, byteOffset: number): void {
  while (walker.index < text.length) {
    const codePoint = text.codePointAt(walker.index) ?? 0;
    const nextByte = walker.byte + utf8Bytes(codePoint);
    if (nextByte > byteOffset) return;
    walker.byte = nextByte;
    walker.index += codePoint > 0xffff ? 2 : 1;
    const endsLine = codePoint === LF || (codePoint === CR && text.charCodeAt(walker.index) !== LF);
    walker.line += endsLine ? 1 : 0;
    walker.column = endsLine ? 1 : walker.column + 1;
  }
}

const LF = 0x0a;
const CR = 0x0d;

/** The index (UTF-16 units) of the character that holds a byte of the text's UTF-8 form; at most the text's length. */
export function charIndexOf(text: string, byteOffset: number): number {
  const walker = start();
  advance(text, walker, byteOffset);
  return walker.index;
}

/** The indexes of many bytes in one pass over the text, in the order in which they were asked for. */
export function charIndexesOf(text: string, byteOffsets: readonly number[]): number[] {
  return findMany(text, byteOffsets, (walker) => walker.index);
}

/**
 * The byte offset of a code point, or of the text's end. The positions of errors of DuckDB's **parser** count code points,
 * unlike all its others.
 *
 * @param codePointIndex from 0
 */
export function byteOffsetOfCodePoint(text: string, codePointIndex: number): number {
  let charIndex = 0;
  for (let count = 0; count < codePointIndex && charIndex < text.length; count += 1) {
    charIndex += (text.codePointAt(charIndex) ?? 0) > 0xffff ? 2 : 1;
  }
  return byteOffsetOf(text, charIndex);
}

/** The byte offset, in the text's UTF-8 form, of an index in UTF-16 units. */
export function byteOffsetOf(text: string, charIndex: number): number {
  return Buffer.byteLength(text.slice(0, charIndex), 'utf8');
}

/** A lone surrogate counts 3, like the replacement character that it becomes on its way to DuckDB. */
function utf8Bytes(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
