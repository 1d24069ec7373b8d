import { JSON_BYTES } from './json-bytes.js';

const { QUOTE, BACKSLASH, OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA, NEWLINE } = JSON_BYTES;

export interface JsonCut {
  /** Behind the last record that is whole; 0 when none is. */
  readonly end: number;
  /** What the text then needs to be JSON again. */
  readonly closing: '' | ']';
}

/** Where the beginning of a JSON text can be cut so that it is one itself. Of what is no JSON, anywhere. */
export function cutJson(bytes: Buffer): JsonCut {
  let end = 0;
  let depth = 0;
  /** Of the records: in one list, or at the top. */
  let recordDepth = isListFirst(bytes) ? 1 : 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    switch (byte) {
      case QUOTE:
        at = endOfText(bytes, at);
        break;
      case OPEN_OBJECT:
      case OPEN_LIST:
        depth += 1;
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        depth -= 1;
        // Behind a list that ends before the text does, there are others: each is a record.
        if (depth === 0) recordDepth = 0;
        if (depth === recordDepth) end = at + 1;
        break;
      case COMMA:
        if (depth === 1 && recordDepth === 1) end = at;
        break;
      case NEWLINE:
        if (depth === 0 && recordDepth === 0) end = at + 1;
    }
  }
  return { end, closing: recordDepth === 1 && end > 0 ? ']' : '' };
}

function isListFirst(bytes: Buffer): boolean {
  const first = /[^\s\ufeff]/.exec(bytes.subarray(0, 1_024).toString('utf8'))?.[0];
  return first === '[';
}

/** The quote that ends a text; the end of the bytes when it is not there. */
function endOfText(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at += 1;
  }
  return bytes.length;
}
