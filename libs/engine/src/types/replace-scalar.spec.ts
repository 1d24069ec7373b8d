import { describe, expect, it } from '@jest/globals';
import { replaceScalar } from './replace-scalar.js';

describe('a scalar type', () => {
  it.each([
    ['alone', 'HUGEINT', 'BIGINT'],
    ['in lists', 'HUGEINT[][3]', 'BIGINT[][3]'],
    ['in objects', 'STRUCT(a HUGEINT, b STRUCT(c HUGEINT[]))', 'STRUCT(a BIGINT, b STRUCT(c BIGINT[]))'],
    ['in maps', 'MAP(HUGEINT, HUGEINT)', 'MAP(BIGINT, BIGINT)'],
    ['but not in other types', 'STRUCT(a UHUGEINT)', 'STRUCT(a UHUGEINT)'],
    ['but not as a name', 'STRUCT(HUGEINT HUGEINT, "HUGEINT" VARCHAR)', 'STRUCT(HUGEINT BIGINT, "HUGEINT" VARCHAR)'],
    ['but not within a name', 'STRUCT("a ""HUGEINT, b" HUGEINT)', 'STRUCT("a ""HUGEINT, b" BIGINT)'],
  ])('is replaced %s', (_, type, expected) => {
    expect(replaceScalar(type, { from: 'HUGEINT', to: 'BIGINT' })).toBe(expected);
  });
});
