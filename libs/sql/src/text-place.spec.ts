import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { byteOffsetOf, byteOffsetOfCodePoint, charIndexOf, placeOf, placesOf } from './text-place.js';

describe('placeOf', () => {
  it.each([
    ['the first byte', 'select', 0, { line: 1, column: 1 }],
    ['a byte of the first line', 'select', 3, { line: 1, column: 4 }],
    ['the end', 'ab', 2, { line: 1, column: 3 }],
    ['behind the end', 'ab', 99, { line: 1, column: 3 }],
    ['before the beginning', 'ab', -1, { line: 1, column: 1 }],
    ['the empty text', '', 0, { line: 1, column: 1 }],
    ['the line end itself', 'ab\ncd', 2, { line: 1, column: 3 }],
    ['behind a line end', 'ab\ncd', 3, { line: 2, column: 1 }],
    ['both halves of CRLF: first', 'ab\r\ncd', 2, { line: 1, column: 3 }],
    ['both halves of CRLF: second', 'ab\r\ncd', 3, { line: 1, column: 4 }],
    ['behind CRLF', 'ab\r\ncd', 4, { line: 2, column: 1 }],
    ['behind a lone CR', 'ab\rcd', 3, { line: 2, column: 1 }],
    ['an empty line', 'a\n\nb', 2, { line: 2, column: 1 }],
    ['behind two bytes', "'é' x", 5, { line: 1, column: 5 }],
    ['behind three bytes', "'日' x", 6, { line: 1, column: 5 }],
    ['behind four bytes (one code point)', "'😀' x", 7, { line: 1, column: 5 }],
    ['inside a character', "'😀' x", 3, { line: 1, column: 2 }],
    ['a line behind other characters', '-- 日本\n😀x', 15, { line: 2, column: 3 }],
  ])('%s', (_, text, byteOffset, place) => {
    // `-- 日本\n` is 3 + 6 + 1 bytes and the face 4 more: byte 14 is the x, 15 lies behind it.
    expect(placeOf(text, byteOffset)).toEqual(place);
  });

  it('finds every character of every text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(), (text, seed) => {
        const characters = [...text];
        const at = characters.length === 0 ? 0 : seed % characters.length;
        const before = characters.slice(0, at).join('');
        expect(charIndexOf(text, Buffer.byteLength(before))).toBe(before.length);
        expect(byteOffsetOfCodePoint(text, at)).toBe(Buffer.byteLength(before));
        expect(byteOffsetOf(text, before.length)).toBe(Buffer.byteLength(before));
      }),
    );
  });

  it('finds many at once, in the order in which they were asked for', () => {
    const text = 'é\r\n日\n😀 x';
    const offsets = [13, 0, 4, 4, 99, -1];
    expect(placesOf(text, offsets)).toEqual(offsets.map((offset) => placeOf(text, offset)));
  });

  it('takes a megabyte in its stride', () => {
    expect(placeOf('é\n'.repeat(350_000), 3 * 349_999)).toEqual({ line: 350_000, column: 1 });
  });
});
