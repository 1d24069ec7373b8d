import { describe, expect, it } from '@jest/globals';
import { JsonOutline } from './json-outline.js';

describe('the outline of a JSON text', () => {
  /** Read in pieces of some bytes. */
  function outlineOf(text: string, pieceBytes = 3): JsonOutline {
    const outline = new JsonOutline(64);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += pieceBytes) outline.observe(bytes.subarray(at, at + pieceBytes));
    outline.finish();
    return outline;
  }

  it.each<[string, string, number | undefined]>([
    ['short ones', '{"a":1.5}\n{"a":-2.25e-10}', undefined],
    ['17 digits that count', '0.12345678901234567\n1.50000000000000000000000', undefined],
    ['18 digits', '{"a":1.5}\r\n{"a":0.123456789012345678}', 2],
    ['18 digits before an exponent', '1\n123456789012345678e1\n2', 2],
    ['18 digits at the end of the text', '1.23456789012345678', 1],
    ['18 digits that are an integer', '123456789012345678', undefined],
    ['18 digits behind an escape', String.raw`{"a\n":123456789012345678.5}`, 1],
    ['18 digits behind an escaped quote', String.raw`{"\"\\":123456789012345678.5}`, 1],
    ['18 digits in a text', '{"0.123456789012345678":"\\"0.123456789012345678"}', undefined],
  ])('has the line of a fraction that is rounded: %s', (_, text, line) => {
    expect(outlineOf(text).roundedLine).toBe(line);
  });

  it.each<[string, string, number | undefined]>([
    ['15 digits', '[123456789012345,1.1234567890123456,1e99,1E-07]', undefined],
    ['16 digits', '[1,\n-1234567890123456]', 2],
    ['an exponent of three digits', '1\n\n1.5e+400\n', 3],
    ['16 digits in a text', '"1234567890123456e400"', undefined],
  ])('has the line of a number that other types may hold: %s', (_, text, line) => {
    expect(outlineOf(text).largeLine).toBe(line);
  });

  it.each<[string, boolean]>([
    [' \ufeff[{"a":1}]\n', true],
    ['[1]\n[2]', false],
    ['{"a":[1]}', false],
    ['"["', false],
  ])('knows one list: %s', (text, isOneList) => {
    expect(outlineOf(text).isOneList).toBe(isOneList);
  });
});
