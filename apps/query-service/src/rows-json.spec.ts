import { describe, expect, it } from '@jest/globals';
import { withRows } from './rows-json.js';

describe('an answer with rows', () => {
  it('holds them as they were encoded', () => {
    const text = withRows({ columns: ['a"}'], row_count: 1 }, '[[1.0, 12345678901234567890]]');
    expect(text).toBe('{"columns":["a\\"}"],"row_count":1,"rows":[[1.0, 12345678901234567890]]}');
  });
});
