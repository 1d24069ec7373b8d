import { describe, expect, it } from '@jest/globals';
import { capNesting } from './cap-nesting.js';

describe('capNesting', () => {
  const type = 'STRUCT(a BIGINT, "b c" STRUCT(d VARCHAR[], e MAP(VARCHAR, BIGINT[])))';

  it.each([
    [0, 'JSON'],
    [1, 'STRUCT("a" BIGINT, "b c" JSON)'],
    [2, 'STRUCT("a" BIGINT, "b c" STRUCT("d" JSON, "e" JSON))'],
    [3, 'STRUCT("a" BIGINT, "b c" STRUCT("d" VARCHAR[], "e" MAP(VARCHAR, JSON)))'],
    [4, 'STRUCT("a" BIGINT, "b c" STRUCT("d" VARCHAR[], "e" MAP(VARCHAR, BIGINT[])))'],
  ])('with %i levels', (levels, capped) => {
    expect(capNesting(type, levels)).toBe(capped);
  });

  it('leaves single values as they are', () => {
    expect(capNesting('TIMESTAMP WITH TIME ZONE', 0)).toBe('TIMESTAMP WITH TIME ZONE');
    expect(capNesting('DECIMAL(9,2)', 0)).toBe('DECIMAL(9,2)');
  });
});
