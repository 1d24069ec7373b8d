/** A part of a text, in UTF-16 units; the end lies behind it. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * A text with spaces where some of its parts stood, byte for byte and line for line: a place in the new text, given in
 * bytes, is a place in the given one.
 *
 * @param ranges that do not overlap, in any order
 */
export function blankText(text: string, ranges: readonly TextRange[]): string {
  const pieces: string[] = [];
  let done = 0;
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    pieces.push(text.slice(done, start), spacesFor(text.slice(start, end)));
    done = end;
  }
  return pieces.join('') + text.slice(done);
}

function spacesFor(part: string): string {
  return part.replace(/[^\r\n]+/g, (line) => ' '.repeat(Buffer.byteLength(line)));
}
