import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { conversionFailed } from './conversion-error.js';

const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

export interface TextFacts {
  /** Whether there is anything but white space. */
  readonly hasContent: boolean;
  /** Line ends `\r\n`, and `\n` alone. */
  readonly crlfCount: number;
  readonly lfCount: number;
}

/** Looks at each piece of a text, in order. */
export interface TextObserver {
  /** @param line the line, from 1, in which the piece starts */
  observe(piece: Buffer, line: number): void;
}

/**
 * Reads a whole text once to make sure that it is one: DuckDB takes NUL bytes and reports bad UTF-8 late and vaguely.
 *
 * @throws DomainError `conversion.failed` with the line of a NUL byte or of bytes that are not UTF-8
 */
export async function checkText(path: string, signal: AbortSignal, observer?: TextObserver): Promise<TextFacts> {
  let line = 1;
  let hasContent = false;
  let lfCount = 0;
  let crlfCount = 0;
  let rest: Buffer = Buffer.alloc(0);
  let endedWithCr = false;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES, signal })) {
    const joined: Buffer = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    const complete = joined.subarray(0, completeLength(joined));
    rest = joined.subarray(complete.length);
    checkPiece(complete, line);
    observer?.observe(complete, line);
    hasContent ||= /[^\s\ufeff]/.test(complete.toString('utf8', 0, Math.min(complete.length, CHUNK_BYTES)));
    for (let at = complete.indexOf(NEWLINE); at >= 0; at = complete.indexOf(NEWLINE, at + 1)) {
      line += 1;
      if (at === 0 ? endedWithCr : complete[at - 1] === 0x0d) crlfCount += 1;
      else lfCount += 1;
    }
    endedWithCr = complete.at(-1) === 0x0d;
  }
  if (rest.length > 0) throw invalidUtf8(rest, line);
  return { hasContent, crlfCount, lfCount };
}

function checkPiece(piece: Buffer, firstLine: number): void {
  const nul = piece.indexOf(0);
  if (nul >= 0) {
    const line = firstLine + countNewlines(piece.subarray(0, nul));
    throw conversionFailed('There is a NUL byte: this is a binary file, or a text in UTF-16. A text must be UTF-8.', {
      line,
    });
  }
  if (isUtf8(piece)) return;
  let start = 0;
  for (let line = firstLine; start < piece.length; line += 1) {
    const newline = piece.indexOf(NEWLINE, start);
    const end = newline < 0 ? piece.length : newline;
    const bytes = piece.subarray(start, end);
    if (!isUtf8(bytes)) throw invalidUtf8(bytes, line);
    start = end + 1;
  }
}

function invalidUtf8(bytes: Buffer, line: number): Error {
  return conversionFailed('The text is not UTF-8. Convert the file to UTF-8 first.', {
    line,
    text: bytes.toString('latin1'),
  });
}

/** The length without a character that goes on in the next chunk. */
function completeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return wanted > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
