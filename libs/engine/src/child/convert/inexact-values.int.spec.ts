import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { quoteLiteral } from '../../types/sql-text.js';
import { widenIntegers } from './exact-numbers.js';
import { findInexact } from './inexact-values.js';

const RUNS = 300;

describe('numbers that a DOUBLE rounds', () => {
  let connection: DuckDBConnection;

  beforeAll(async () => {
    connection = await (await DuckDBInstance.create(':memory:')).connect();
  });
  afterAll(() => connection.closeSync());

  const tableOf = (texts: readonly string[]): string => `(SELECT unnest([${texts.map(quoteLiteral).join(', ')}]) AS x)`;

  async function isRounded(text: string, hasDecimalComma = false): Promise<boolean> {
    const columns = [{ name: 'x', type: 'DOUBLE', isPinned: false }];
    const { rounded } = await findInexact(connection, columns, {
      from: tableOf(['1', text, '0.5']),
      hasDecimalComma,
      thousands: undefined,
      dateFormat: undefined,
      timestampFormat: undefined,
      refusesAll: false,
      lineOf: () => Promise.resolve(undefined),
    });
    return rounded.has('x');
  }

  it.each([
    ['0.12345678901234567', false],
    ['0.123456789012345678', true],
    ['-0.00000000000000000000012345678901234567', false],
    ['1.000000000000000000000', false],
    ['100000000000000000000000', false],
    ['1.0000000000000000000001', true],
    ['123456789012345678e-5', true],
    ['12345678901234567e-5', false],
    ['1e-12345678901234567890', false],
    ['9007199254740993', true],
    ['-9007199254740993', true],
    ['  9007199254740993', true],
    ['9007199254740992', false],
    ['12345678901234567', true],
    ['1234567890123456', false],
  ])('%s: %s', async (text, expected) => {
    expect(await isRounded(text)).toBe(expected);
  });

  it('are found with a decimal comma, too', async () => {
    expect(await isRounded('0,123456789012345678', true)).toBe(true);
    expect(await isRounded('0,12345678901234567', true)).toBe(false);
  });

  it('are those with digits beyond the seventeenth, and integers that come back as others', async () => {
    const digits = (maxLength: number) => fc.string({ unit: fc.constantFrom(...'0012345678990'), maxLength });
    const number = fc
      .record({
        sign: fc.constantFrom('', '-', '+'),
        whole: digits(20).map((text) => text || '0'),
        fraction: fc.option(digits(20)),
        exponent: fc.option(fc.integer({ min: -30, max: 30 })),
      })
      .map(({ sign, whole, fraction, exponent }) => ({
        text: `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
        digits: `${whole}${fraction ?? ''}`.replace(/^0+|0+$/g, ''),
        isInteger: fraction === null && exponent === null && whole.length <= 17,
      }));
    await fc.assert(
      fc.asyncProperty(number, async ({ text, digits: counted, isInteger }) => {
        const isLost = isInteger && BigInt(Number(text)) !== BigInt(text.replace('+', ''));
        expect(await isRounded(text)).toBe(counted.length > 17 || isLost);
      }),
      { numRuns: RUNS },
    );
  });

  it.each<[string, string, string[]]>([
    ['integers become HUGEINT', 'HUGEINT', ['9223372036854775808', ' -1', '+7']],
    ['those that no HUGEINT holds stay text', 'VARCHAR', ['1', '9'.repeat(40)]],
    ['one fraction among them leaves a DOUBLE', 'DOUBLE', ['9223372036854775808', '1.5']],
    ['an exponent does, too', 'DOUBLE', ['9223372036854775808', '1e5']],
  ])('in a column: %s', async (_, type, texts) => {
    const columns = [{ name: 'x', type: 'DOUBLE', isPinned: false }];
    const options = { textFrom: () => tableOf(texts), sampleRows: undefined };
    expect(await widenIntegers(connection, columns, options)).toMatchObject([{ type }]);
  });

  it('an empty column is left as it is', async () => {
    const columns = [{ name: 'x', type: 'DOUBLE', isPinned: false }];
    const options = { textFrom: () => '(SELECT CAST(NULL AS VARCHAR) AS x)', sampleRows: 10 };
    expect(await widenIntegers(connection, columns, options)).toMatchObject([{ type: 'DOUBLE' }]);
  });
});
