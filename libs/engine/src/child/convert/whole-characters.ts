import type { TextEncoding } from '../../tasks/convert.task.js';

/** Bytes of a text without a character that goes on behind their end. */
export function wholeCharacters(bytes: Buffer, encoding: TextEncoding): Buffer {
  switch (encoding) {
    case 'utf-16le':
    case 'utf-16be':
      return wholeUnits(bytes, encoding === 'utf-16le' ? 1 : 0);
    case 'utf-8':
      return bytes.subarray(0, utf8Length(bytes));
    case 'latin-1':
    case 'windows-1252':
      return bytes;
  }
}

/** @param upper where the upper byte of a unit is */
function wholeUnits(bytes: Buffer, upper: 0 | 1): Buffer {
  const length = bytes.length - (bytes.length % 2);
  const lastUpper = bytes[length - 2 + upper] ?? 0;
  const isFirstOfPair = lastUpper >= 0xd8 && lastUpper < 0xdc;
  return bytes.subarray(0, isFirstOfPair ? length - 2 : length);
}

function utf8Length(bytes: Buffer): number {
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
