import { describe, expect, it } from '@jest/globals';
import { parseByteRange } from './byte-range.js';

describe('a range of 1,000 bytes', () => {
  it.each<[string, number, number]>([
    ['bytes=0-0', 0, 0],
    ['bytes=0-999', 0, 999],
    ['bytes=10-19', 10, 19],
    ['bytes=990-', 990, 999],
    ['bytes=-10', 990, 999],
    ['bytes=-5000', 0, 999],
    ['bytes=500-99999', 500, 999],
    ['Bytes=1-2', 1, 2],
    ['bytes=1-2, 5000-', 1, 2],
  ])('is %s', (header, start, end) => {
    expect(parseByteRange(header, 1_000)).toEqual({ start, end });
  });

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=a-b',
    'bytes=5-4',
    'bytes=-',
    'rows=0-1',
    'bytes=0-1,5-6',
    'bytes=0-1,x',
  ])('is no range, but all of them, for %s', (header) => {
    expect(parseByteRange(header, 1_000)).toBeUndefined();
  });

  it.each(['bytes=1000-', 'bytes=5000-6000', 'bytes=-0'])('does not hold %s', (header) => {
    expect(() => parseByteRange(header, 1_000)).toThrow(
      expect.objectContaining({ code: 'range.not_satisfiable', sizeBytes: 1_000 }),
    );
  });
});
