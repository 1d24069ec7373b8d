import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecordShapes } from './record-shapes.js';

const RUNS = 300;
const FIRST = '{"a": 1, "b": "x", "c": null, "d": [1, {"e": true}], "f": 1.5}\n';

/** Whether a text may follow another. */
function follows(first: string, text: string): boolean {
  const shapes = new RecordShapes();
  expect(shapes.admit(Buffer.from(first))).toBe(true);
  shapes.settle();
  return shapes.admit(Buffer.from(text));
}

describe('RecordShapes', () => {
  it.each([
    ['the same', FIRST],
    ['other values', '{"a":12345,"b":"y \\" \\\\","c":null,"d":[],"f":-0.25e-7}\n'],
    ['another order, and fewer keys', '{"f":2.5,"b":""}\r\n{"d":[{"e":false}],"a":0}\n'],
    ['spaces and empty lines', ' \n\n\t{ "a" : 1 , "d" : [ 1 , { } ] } \n'],
    ['nothing', '{}\n'],
    ['a fraction of 17 digits', '{"f":0.00012345678901234567000}\n'],
  ])('admits %s', (_, text) => {
    expect(follows(FIRST, text)).toBe(true);
  });

  it.each([
    ['a key', '{"late":1}\n'],
    ['a key within an object', '{"d":[{"late":1}]}\n'],
    ['the kind of a value', '{"a":"1"}\n'],
    ['a sign', '{"a":-1}\n'],
    ['a fraction among integers', '{"a":1.5}\n'],
    ['an integer among fractions', '{"f":1}\n'],
    ['an exponent among integers', '{"a":1e2}\n'],
    ['a value among nulls', '{"c":1}\n'],
    ['null among values', '{"a":null}\n'],
    ['the kind of an element', '{"d":["x"]}\n'],
    ['a list in place of a value', '{"a":[1]}\n'],
    ['an integer of 16 digits', '{"a":1234567890123456}\n'],
  ])('does not admit what is new: %s', (_, text) => {
    expect(follows(FIRST, text)).toBe(false);
  });

  it.each([
    ['an integer of 19 digits', '{"a":1234567890123456789}\n'],
    ['a zero with a sign', '{"a":-0}\n'],
    ['a fraction of 18 digits', '{"a":0.123456789012345678}\n'],
    ['a fraction of 16 digits before the point', '{"a":1234567890123456.5}\n'],
    ['an exponent of three digits', '{"a":1e100}\n'],
    ['an escape in a key', '{"\\u0061":1}\n'],
    ['17 levels', `{"a":${'['.repeat(17)}${']'.repeat(17)}}\n`],
    ['a record over two lines', '{"a":1,\n"b":2}\n'],
    ['two records on a line', '{"a":1}{"a":2}\n'],
    ['a list of records', '[{"a":1}]\n'],
    ['a value that is no record', '1\n'],
    ['a text that is cut', '{"a":"x\n'],
    ['a record that is cut', '{"a":1\n'],
    ['a comma too many', '{"a":1,}\n'],
    ['a word of its own', '{"a":nan}\n'],
    ['a minus alone', '{"a":-}\n'],
    ['a key without a value', '{"a"}\n'],
    ['a byte order mark', '\ufeff{"a":1}\n'],
  ])('does not admit %s, even among the first', (_, text) => {
    expect(new RecordShapes().admit(Buffer.from(text))).toBe(false);
  });

  it.each([
    ['long integers beside fractions', '{"a":1234567890123456}\n{"a":1.5}\n', false],
    ['long integers in one place and fractions in another', '{"a":[1234567890123456],"b":1.5}\n', true],
    [
      'keys of which each is in few records',
      Array.from({ length: 9 }, (_, i) => `{"a":{"k${i}":1}}\n`).join(''),
      false,
    ],
    ['keys that are mostly null', `{"a":1}\n${'{"a":null}\n'.repeat(9)}`, false],
    ['keys of which each is in many records', '{"a":1}\n{"b":1}\n{"c":1}\n', true],
  ])('knows whether types depend on kinds only: %s', (_, text, expected) => {
    const shapes = new RecordShapes();
    expect(shapes.admit(Buffer.from(text))).toBe(true);
    expect(shapes.areTyped).toBe(expected);
  });

  const key = fc.constantFrom('a', 'b c', 'ü', '', 'long_key');
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom(null, true, false),
      fc.integer({ min: -1e15, max: 1e15 }),
      fc.integer({ min: -1e6, max: 1e6 }).map((number) => number / 64),
      fc.string({ unit: 'binary' }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    ),
  }));
  const records = fc.array(fc.dictionary(key, value), { minLength: 1, maxLength: 8 });

  it('admits what it has learned from, and counts it, and no key beside', () => {
    fc.assert(
      fc.property(records, fc.constantFrom('', ' ', '\t'), (some, space) => {
        const text = Buffer.from(some.map((record) => `${space}${JSON.stringify(record)}${space}\n`).join(''));
        const shapes = new RecordShapes();
        expect(shapes.admit(text)).toBe(true);
        expect(shapes.recordCount).toBe(some.length);
        shapes.settle();
        expect(shapes.admit(text)).toBe(true);
        expect(shapes.admit(Buffer.from(`${JSON.stringify({ ...some[0], late: null })}\n`))).toBe(false);
      }),
      { numRuns: RUNS },
    );
  });
});
