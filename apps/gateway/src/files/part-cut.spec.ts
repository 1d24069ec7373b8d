import { describe, expect, it } from '@jest/globals';
import { PARTS_MAX } from '@millrace/contract';
import { partCountOf, partOf, partSizeOf } from './part-cut.js';

const MiB = 1024 ** 2;
const TiB = 1024 ** 4;

describe('the cut of a file', () => {
  it.each([1, 16 * MiB - 1, 16 * MiB, 16 * MiB + 1, 50 * 1024 * MiB, 5 * TiB])(
    'of %d bytes has parts that make the whole',
    (sizeBytes) => {
      const file = { sizeBytes, partSizeBytes: partSizeOf(sizeBytes) };
      const count = partCountOf(file);
      expect(count).toBeLessThanOrEqual(PARTS_MAX);
      expect(file.partSizeBytes % MiB).toBe(0);
      const last = partOf(file, count).sizeBytes;
      expect(last).toBeGreaterThan(0);
      expect((count - 1) * file.partSizeBytes + last).toBe(sizeBytes);
      if (count > 1) expect(partOf(file, 1).sizeBytes).toBe(file.partSizeBytes);
    },
  );

  it('has no part beyond the last', () => {
    expect(() => partOf({ sizeBytes: 3, partSizeBytes: 2 }, 3)).toThrow(
      expect.objectContaining({ code: 'request.invalid' }),
    );
  });
});
