/** What a FLOAT has to be in JSON: a number that is this FLOAT again; more than one decimal text can be. */
export class FloatNumber {
  constructor(readonly value: number) {}
}

/** Nine digits tell every FLOAT from its neighbours. */
const FLOAT_DIGITS_MAX = 9;

/** Whether a value read from JSON, or handed out by DuckDB's client, is the expected one; -0 is not 0. */
export function isSameValue(value: unknown, expected: unknown): boolean {
  if (expected instanceof FloatNumber) return isFloat(value, expected.value);
  if (typeof expected !== 'object' || expected === null) return Object.is(value, expected);
  if (typeof value !== 'object' || value === null || Array.isArray(value) !== Array.isArray(expected)) return false;
  const [entries, wanted] = [Object.entries(value), Object.entries(expected)];
  return (
    entries.length === wanted.length &&
    entries.every(([key, item], index) => key === wanted[index]?.[0] && isSameValue(item, wanted[index]?.[1]))
  );
}

function isFloat(value: unknown, expected: number): boolean {
  return (
    typeof value === 'number' &&
    Object.is(Math.fround(value), expected) &&
    Number(value.toPrecision(FLOAT_DIGITS_MAX)) === value
  );
}
