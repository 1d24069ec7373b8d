/** A place in a text as editors show it: both from 1; the column counts code points, not bytes. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

const LINE_END = /\r\n|\n|\r/g;

/**
 * The line and column of a byte of a text. DuckDB's positions count UTF-8 bytes.
 *
 * A line ends with `\n`, `\r\n` or a lone `\r`, and its end still belongs to it. An offset inside a character means
 * that character, one behind the end the place behind the last character, a negative one the beginning.
 *
 * @param byteOffset from 0, in UTF-8 bytes
 */
export function placeOf(text: string, byteOffset: number): TextPlace {
  const index = charIndexOf(text, byteOffset);
  let line = 1;
  let lineStart = 0;
  for (const end of text.matchAll(LINE_END)) {
    const nextLineStart = end.index + end[0].length;
    if (nextLineStart > index) break;
    line += 1;
    lineStart = nextLineStart;
  }
  return { line, column: countCodePoints(text.slice(lineStart, index)) + 1 };
}

/** The index (UTF-16 units) of the character that holds a byte of the text's UTF-8 form; at most the text's length. */
export function charIndexOf(text: string, byteOffset: number): number {
  let index = 0;
  let byte = 0;
  while (index < text.length) {
    const codePoint = text.codePointAt(index) ?? 0;
    byte += utf8Bytes(codePoint);
    if (byte > byteOffset) break;
    index += codePoint > 0xffff ? 2 : 1;
  }
  return index;
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

function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
