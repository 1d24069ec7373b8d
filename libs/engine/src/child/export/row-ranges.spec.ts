import { describe, expect, it } from '@jest/globals';
import { RowRanges } from './row-ranges.js';

/** The ranges of rows by their bytes, chunk by chunk, where a statement may hold 10. */
function ranges(...chunks: number[][]): string[] {
  const found = new RowRanges(10);
  for (const sizes of chunks) found.add(sizes);
  return found.all().map(({ offset, rowCount, isLong }) => `${offset}+${rowCount}${isLong ? ' long' : ''}`);
}

describe('ranges of rows', () => {
  it('are one while each chunk is small enough', () => {
    expect(ranges([1, 2, 3], [10], [], [5, 5])).toEqual(['0+6']);
    expect(ranges()).toEqual([]);
  });

  it('part a chunk that is too large', () => {
    expect(ranges([5, 5, 1], [1])).toEqual(['0+2', '2+1', '3+1']);
    expect(ranges([1, 1], [6, 6, 6], [1])).toEqual(['0+2', '2+1', '3+1', '4+1', '5+1']);
  });

  it('leave a row alone that is too long by itself', () => {
    expect(ranges([11])).toEqual(['0+1 long']);
    expect(ranges([1, 2], [3, 11, 12, 4, 5], [6])).toEqual(['0+2', '2+1', '3+1 long', '4+1 long', '5+2', '7+1']);
  });
});
