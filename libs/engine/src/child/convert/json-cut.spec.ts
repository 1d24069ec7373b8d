import { describe, expect, it } from '@jest/globals';
import { cutJson } from './json-cut.js';

function cut(text: string): string {
  const bytes = Buffer.from(text);
  const { end, closing } = cutJson(bytes);
  return bytes.subarray(0, end).toString() + closing;
}

describe('cutJson', () => {
  it.each([
    ['lines', '{"a":1}\n{"a":2}\n{"a":', '{"a":1}\n{"a":2}\n'],
    ['lines that end with one', '{"a":1}\n{"a":2}', '{"a":1}\n{"a":2}'],
    ['one list', '[{"a":1}, {"a":2}, {"a"', '[{"a":1}, {"a":2}]'],
    ['one list that ends with a record', '[{"a":1}', '[{"a":1}]'],
    ['one list of numbers', '[1, 2, 34', '[1, 2]'],
    ['one list behind a byte order mark', '\ufeff [1, 2', '\ufeff [1]'],
    ['one whole list', '[1, 2]', '[1, 2]'],
    ['lists on lines', '[1,2]\n[3,4]\n[5', '[1,2]\n[3,4]\n'],
    ['objects over lines', '{\n "a": 1\n}\n{\n "a": 2\n', '{\n "a": 1\n}\n'],
    ['brackets, quotes and line ends in texts', '["a]}\\"\\n,", "b\\\\", "c,', '["a]}\\"\\n,", "b\\\\"]'],
    ['records with lists', '[{"a":[1,{"b":2}]},{"a":[3,', '[{"a":[1,{"b":2}]}]'],
    ['less than a record', '{"a":[1,2', ''],
    ['less than a record of a list', '[{"a":1', ''],
    ['nothing', '', ''],
  ])('cuts %s', (_, text, expected) => {
    expect(cut(text)).toBe(expected);
  });

  it('leaves JSON wherever a list ends', () => {
    const text = JSON.stringify([{ a: 'x,]"\\' }, [1, [2]], 'y', -1.5e3, null, { b: { c: [] } }]);
    const lengths = Array.from({ length: text.length }, (_, index) => index + 1);
    const left = lengths.map((length) => cut(text.slice(0, length))).filter((some) => some !== '');
    expect(left.length).toBeGreaterThan(30);
    for (const some of left) {
      expect(JSON.stringify(JSON.parse(some))).toBe(some);
      expect(text.startsWith(some.slice(0, -1))).toBe(true);
    }
  });
});
