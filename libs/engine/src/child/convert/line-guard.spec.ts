import { describe, expect, it } from '@jest/globals';
import { LineGuard } from './line-guard.js';

describe('a line', () => {
  const admits = (...pieces: string[]): boolean[] => {
    const guard = new LineGuard(4);
    return pieces.map((piece) => guard.admits(Buffer.from(piece)));
  };

  it.each<[string, string[], boolean[]]>([
    ['as long as it may be', ['1234\n', '1234'], [true, true]],
    ['over several pieces', ['12', '34', '5'], [true, true, false]],
    ['that ends in time', ['123', '4\n12', '34'], [true, true, true]],
    ['that begins behind another', ['1\n2\n123', '45'], [true, false]],
    ['that ends with a carriage return', ['123\r123', '4\r\n1'], [true, true]],
    ['too long before its end comes', ['123', '45\n'], [true, false]],
    ['of nothing', ['', '\n\n\n', ''], [true, true, true]],
  ])('%s', (_, pieces, expected) => {
    expect(admits(...pieces)).toEqual(expected);
  });
});
