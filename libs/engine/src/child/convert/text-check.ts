import { isUtf8 } from 'node:buffer';
import { conversionFailed } from './conversion-error.js';
import { filePieces } from './file-pieces.js';
import { lineOfByte } from './line-ends.js';
import { NotUtf8Error } from './not-utf8-error.js';
import { wholeCharacters } from './whole-characters.js';

const NEWLINE = 0x0a;
const NUL_MESSAGE = 'There is a NUL byte: this is a binary file, or a text in another "encoding" than UTF-8.';

/** Looks at each piece of a text, in order. */
export interface TextObserver {
  observe(piece: Buffer): void;
}

/**
 * Reads a whole text once to make sure that it is one: DuckDB takes NUL bytes and reports bad UTF-8 late and vaguely.
 * Nothing here looks at each byte by itself; what is said about a bad one is found afterwards.
 *
 * @returns whether there is anything but white space
 * @throws DomainError `conversion.failed` with the line of a NUL byte
 * @throws NotUtf8Error
 */
export async function checkText(path: string, signal: AbortSignal, observer?: TextObserver): Promise<boolean> {
  let hasContent = false;
  let offset = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of filePieces(path, signal)) {
    const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const complete = wholeCharacters(joined, 'utf-8');
    rest = Buffer.from(joined.subarray(complete.length));
    if (complete.includes(0) || !isUtf8(complete)) throw await whyBad(path, complete, offset);
    observer?.observe(complete);
    hasContent ||= /[^\s\ufeff]/.test(complete.toString('utf8'));
    offset += complete.length;
  }
  if (rest.length > 0) throw notUtf8(rest, await lineOfByte(path, offset));
  return hasContent;
}

/** What is wrong in a piece that is no text. */
async function whyBad(path: string, piece: Buffer, offset: number): Promise<Error> {
  const nul = piece.indexOf(0);
  if (nul >= 0) return conversionFailed(NUL_MESSAGE, { line: await lineOfByte(path, offset + nul) });
  let start = 0;
  for (let line = await lineOfByte(path, offset); start < piece.length; line += 1) {
    const newline = piece.indexOf(NEWLINE, start);
    const end = newline < 0 ? piece.length : newline;
    const bytes = piece.subarray(start, end);
    if (!isUtf8(bytes)) return notUtf8(bytes, line);
    start = end + 1;
  }
  throw new Error('The piece is a text.');
}

function notUtf8(bytes: Buffer, line: number): NotUtf8Error {
  return new NotUtf8Error({ line, text: bytes.toString('latin1') });
}
