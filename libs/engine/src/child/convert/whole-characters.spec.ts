import { describe, expect, it } from '@jest/globals';
import { wholeCharacters } from './whole-characters.js';

describe('wholeCharacters', () => {
  const text = 'aé北𝄞';

  it('leaves whole characters of UTF-8 wherever it is cut', () => {
    const bytes = Buffer.from(text);
    for (let length = 0; length <= bytes.length; length += 1) {
      const left = wholeCharacters(bytes.subarray(0, length), 'utf-8').toString();
      expect(text.startsWith(left)).toBe(true);
      expect(bytes.subarray(0, length).length - Buffer.byteLength(left)).toBeLessThan(4);
    }
  });

  it.each(['utf-16le', 'utf-16be'] as const)('leaves whole characters of %s wherever it is cut', (encoding) => {
    const isLittle = encoding === 'utf-16le';
    const bytes = isLittle ? Buffer.from(text, 'utf16le') : Buffer.from(text, 'utf16le').swap16();
    for (let length = 0; length <= bytes.length; length += 1) {
      const whole = Buffer.from(wholeCharacters(bytes.subarray(0, length), encoding));
      const left = (isLittle ? whole : whole.swap16()).toString('utf16le');
      expect(text.startsWith(left)).toBe(true);
      expect(left.isWellFormed()).toBe(true);
      expect(length - whole.length).toBeLessThan(4);
    }
  });

  it('leaves single bytes as they are', () => {
    expect(wholeCharacters(Buffer.of(0x61, 0xe9), 'windows-1252')).toEqual(Buffer.of(0x61, 0xe9));
  });
});
