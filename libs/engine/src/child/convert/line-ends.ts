import { createReadStream } from 'node:fs';

const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export interface LineEnds {
  /** Line ends `\r\n`, and `\n` alone. */
  readonly crlfCount: number;
  readonly lfCount: number;
}

/** Counts the line ends of a file, for what is said about it: no pass over a good file does. */
export async function countLineEnds(path: string): Promise<LineEnds> {
  let crlfCount = 0;
  let lfCount = 0;
  let endedWithCr = false;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    const bytes = chunk as Buffer;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
      if (at === 0 ? endedWithCr : bytes[at - 1] === CARRIAGE_RETURN) crlfCount += 1;
      else lfCount += 1;
    }
    endedWithCr = bytes.at(-1) === CARRIAGE_RETURN;
  }
  return { crlfCount, lfCount };
}

/** The line, from 1, of a byte of a file. */
export async function lineOfByte(path: string, offset: number): Promise<number> {
  let line = 1;
  if (offset === 0) return line;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES, end: offset - 1 })) {
    const bytes = chunk as Buffer;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) line += 1;
  }
  return line;
}
