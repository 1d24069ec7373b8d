import type { TextEncoding } from '../../tasks/convert.task.js';
import { pieceDecoder } from './piece-decoder.js';

const MARKS: readonly { readonly encoding: TextEncoding; readonly bytes: Buffer }[] = [
  { encoding: 'utf-8', bytes: Buffer.of(0xef, 0xbb, 0xbf) },
  { encoding: 'utf-16le', bytes: Buffer.of(0xff, 0xfe) },
  { encoding: 'utf-16be', bytes: Buffer.of(0xfe, 0xff) },
];

/** Of the characters of a table at least so many are ASCII, in whatever language it is. */
const ASCII_SHARE_MIN = 0.3;

/** What the first bytes of a text say about its encoding. */
export interface HeadEncoding {
  readonly encoding: TextEncoding;
  /** Whether a byte order mark says so; else the shape of the bytes does. */
  readonly hasMark: boolean;
}

/** The encoding of a text by its first bytes; undefined when they may be of any in which ASCII is itself. */
export function encodingOfHead(head: Buffer): HeadEncoding | undefined {
  const marked = MARKS.find(({ bytes }) => head.subarray(0, bytes.length).equals(bytes));
  if (marked) return { encoding: marked.encoding, hasMark: true };
  const shaped = (['utf-16le', 'utf-16be'] as const).find((encoding) => isShapedLike(head, encoding));
  return shaped && { encoding: shaped, hasMark: false };
}

/** The first bytes of a text as UTF-8. */
export function headAsUtf8(head: Buffer, encoding: TextEncoding): Buffer {
  return encoding === 'utf-8' ? head : Buffer.from(pieceDecoder(encoding).write(head));
}

/** The upper halves of many units of UTF-16 are zero, the lower ones of none; and nothing is a control character. */
function isShapedLike(head: Buffer, encoding: 'utf-16le' | 'utf-16be'): boolean {
  const upper = encoding === 'utf-16le' ? 1 : 0;
  const units = Math.floor(head.length / 2);
  let asciiCount = 0;
  for (let unit = 0; unit < units; unit += 1) {
    if (head[2 * unit + 1 - upper] === 0) return false;
    if (head[2 * unit + upper] === 0) asciiCount += 1;
  }
  if (asciiCount === 0 || asciiCount < ASCII_SHARE_MIN * units) return false;
  return !/(?!\s)\p{Cc}/u.test(pieceDecoder(encoding).write(head));
}
