import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { parseFooter } from './parquet-footer.js';

const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);

/** What a parser that believes it makes an array of 30 million places for, as often as it stands there. */
const longListOfLists = [0xf9, ...varint(30_000_000)];

describe('parseFooter', () => {
  it.each([
    ['nothing', []],
    ['a number without an end', [0x36, ...Array<number>(20).fill(0xff)]],
    ['a text longer than the bytes', [0x18, ...varint(1_000)]],
    ['a type that there is not', [0x1f]],
    ['no rows and no columns', [0x00]],
    ['a schema of numbers', [0x29, 0x15, 0x02, 0x00]],
    ['lists that announce 30 million lists', [0x79, ...Array<number[]>(6).fill(longListOfLists).flat()]],
    ['structs within structs', Array<number>(100_000).fill(0x1c)],
  ])('refuses %s at once', (_, bytes) => {
    const before = process.memoryUsage().rss;
    expect(() => parseFooter(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: 'result.corrupt' }));
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  it('gives numbers or result.corrupt for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(parseFooter(bytes).rowCount).toEqual(expect.any(Number));
        } catch (error) {
          expect(error).toBeInstanceOf(DomainError);
        }
      }),
    );
  });
});
