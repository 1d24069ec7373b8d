import { describe, expect, it } from '@jest/globals';
import { alternativeTableNames, checkTableName, deriveTableName, RESERVED_TABLE_NAMES } from './table-name.js';

describe('deriveTableName', () => {
  it.each([
    ['Q1 Sales Report', 'q1_sales_report'],
    ['123 Numbers', '_123_numbers'],
    ['Test! @#$% Data', 'test_data'],
    ['Test Dataset', 'test_dataset'],
    ['a - b', 'a_b'],
    ['tail - ', 'tail'],
    ['Ünïcode', 'ncode'],
    ['日本', '_unnamed'],
    ['---', '_unnamed'],
    ['snake_case', 'snake_case'],
    ['a__b', 'a__b'],
    ['tab\tand\u00a0nbsp', 'tab_and_nbsp'],
    [' lead', '_lead'],
    ['_private', '_private'],
    ['x'.repeat(200), 'x'.repeat(128)],
    [`${'x'.repeat(127)} y`, 'x'.repeat(127)],
    [`1${'x'.repeat(200)}`, `_1${'x'.repeat(126)}`],
    ['Select', 'select'],
  ])('of %j is %s', (label, name) => {
    expect(deriveTableName(label)).toBe(name);
  });
});

describe('checkTableName', () => {
  it.each(['a', '_', 'Sales_2025', '_1', 'x'.repeat(128)])('takes %s', (name) => {
    expect(() => checkTableName(name)).not.toThrow();
  });

  it.each(['', '1a', 'a-b', 'a b', 'ä', 'a.b', '"a"', 'x'.repeat(129), 'a\n'])('refuses %j', (name) => {
    expect(() => checkTableName(name)).toThrow(expect.objectContaining({ code: 'table_name.invalid' }));
  });

  it.each([...RESERVED_TABLE_NAMES].flatMap((word) => [word, word.toUpperCase()]))(
    'refuses the reserved %s',
    (word) => {
      expect(() => checkTableName(word)).toThrow(expect.objectContaining({ code: 'table_name.reserved' }));
    },
  );

  it('knows all the reserved words', () => {
    expect(RESERVED_TABLE_NAMES.size).toBe(42);
  });
});

describe('alternativeTableNames', () => {
  it('counts up within the length limit', () => {
    expect(alternativeTableNames('sales', 2)).toEqual(['sales_2', 'sales_3']);
    expect(alternativeTableNames('x'.repeat(128), 1)).toEqual([`${'x'.repeat(126)}_2`]);
  });
});
