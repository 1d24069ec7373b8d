import { describe, expect, it } from '@jest/globals';
import { editDistance } from './table-names.js';

describe('the distance of two names', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['sales', 'sales', 0],
    ['sales', 'slaes', 2],
    ['sales', 'sale', 1],
    ['kitten', 'sitting', 3],
  ])('%s and %s: %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});
