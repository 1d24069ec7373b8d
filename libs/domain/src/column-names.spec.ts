import { describe, expect, it } from '@jest/globals';
import { uniqueColumnNames } from './column-names.js';

describe('uniqueColumnNames', () => {
  it.each([
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [
      ['a', 'a', ''],
      ['a', 'a_1', 'column2'],
    ],
    [
      ['a', 'A', 'a'],
      ['a', 'A_1', 'a_2'],
    ],
    [
      ['a', 'a', 'a_1'],
      ['a', 'a_2', 'a_1'],
    ],
    [
      ['column1', ''],
      ['column1', 'column1_1'],
    ],
  ])('%j → %j', (names, unique) => {
    expect(uniqueColumnNames(names)).toEqual(unique);
  });
});
