import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';

type Value = [sql: string, type: string, json: unknown];

const numbers: Value[] = [
  ['true', 'BOOLEAN', true],
  ['(-128)::TINYINT', 'TINYINT', -128],
  ['32767::SMALLINT', 'SMALLINT', 32_767],
  ['(-2147483648)::INTEGER', 'INTEGER', -2_147_483_648],
  ['9007199254740992::BIGINT', 'BIGINT', 9_007_199_254_740_992],
  ['9007199254740993::BIGINT', 'BIGINT', '9007199254740993'],
  ['-9007199254740993::BIGINT', 'BIGINT', '-9007199254740993'],
  ['9223372036854775807::BIGINT', 'BIGINT', '9223372036854775807'],
  ['7::HUGEINT', 'HUGEINT', 7],
  ["'-170141183460469231731687303715884105728'::HUGEINT", 'HUGEINT', '-170141183460469231731687303715884105728'],
  ['255::UTINYINT', 'UTINYINT', 255],
  ['65535::USMALLINT', 'USMALLINT', 65_535],
  ['4294967295::UINTEGER', 'UINTEGER', 4_294_967_295],
  ['18446744073709551615::UBIGINT', 'UBIGINT', '18446744073709551615'],
  ["'340282366920938463463374607431768211455'::UHUGEINT", 'UHUGEINT', '340282366920938463463374607431768211455'],
  ['0.1::FLOAT', 'FLOAT', 0.1],
  ['0.1::DOUBLE', 'DOUBLE', 0.1],
  ['5e-324::DOUBLE', 'DOUBLE', 5e-324],
  ['1.7976931348623157e308::DOUBLE', 'DOUBLE', 1.797_693_134_862_315_7e308],
  ["'NaN'::DOUBLE", 'DOUBLE', 'NaN'],
  ["'Infinity'::FLOAT", 'FLOAT', 'Infinity'],
  ["'-Infinity'::DOUBLE", 'DOUBLE', '-Infinity'],
  ['1.50::DECIMAL(4,2)', 'DECIMAL(4,2)', 1.5],
  ['-0.01::DECIMAL(4,2)', 'DECIMAL(4,2)', -0.01],
  ['1234567890123.45::DECIMAL(15,2)', 'DECIMAL(15,2)', 1_234_567_890_123.45],
  ['12345678901234567890.12::DECIMAL(30,2)', 'DECIMAL(30,2)', '12345678901234567890.12'],
];

const times: Value[] = [
  ["DATE '2020-02-29'", 'DATE', '2020-02-29'],
  ["DATE '0001-01-01'", 'DATE', '0001-01-01'],
  ["TIMESTAMP '2020-02-29 12:00:00.123456'", 'TIMESTAMP', '2020-02-29T12:00:00.123456'],
  ["TIMESTAMP '2020-02-29 12:00:00'", 'TIMESTAMP', '2020-02-29T12:00:00'],
  ["'2020-02-29 12:00:00'::TIMESTAMP_S", 'TIMESTAMP_S', '2020-02-29T12:00:00'],
  ["'2020-02-29 12:00:00.123'::TIMESTAMP_MS", 'TIMESTAMP_MS', '2020-02-29T12:00:00.123'],
  ["'2020-02-29 12:00:00.123456789'::TIMESTAMP_NS", 'TIMESTAMP_NS', '2020-02-29T12:00:00.123456789'],
  ["TIMESTAMPTZ '2020-02-29 12:00:00.5+02'", 'TIMESTAMP WITH TIME ZONE', '2020-02-29T10:00:00.5Z'],
  ["TIME '12:30:00.000001'", 'TIME', '12:30:00.000001'],
  ["TIMETZ '12:30:00+05:30'", 'TIME WITH TIME ZONE', '12:30:00+05:30'],
  ["TIMETZ '12:30:00+00'", 'TIME WITH TIME ZONE', '12:30:00Z'],
  ["INTERVAL '1 year 2 months 3 days 4 hours 5 minutes 6.5 seconds'", 'INTERVAL', 'P1Y2M3DT4H5M6.5S'],
  ["INTERVAL '3 days 4.5 seconds'", 'INTERVAL', 'P3DT4.5S'],
  ["INTERVAL '0 days'", 'INTERVAL', 'PT0S'],
  ["INTERVAL '-1 day'", 'INTERVAL', 'P-1D'],
];

const texts: Value[] = [
  ["'é𝄞 \"quoted\" \\ '''", 'VARCHAR', 'é𝄞 "quoted" \\ \''],
  ["''", 'VARCHAR', ''],
  ["'a' || chr(0) || chr(10) || chr(31) || chr(127) || chr(8232)", 'VARCHAR', 'a\0\n\u001f\u007f\u2028'],
  ["'\\x00\\xFFab'::BLOB", 'BLOB', 'AP9hYg=='],
  ["''::BLOB", 'BLOB', ''],
  ["'550e8400-e29b-41d4-a716-446655440000'::UUID", 'UUID', '550e8400-e29b-41d4-a716-446655440000'],
  ["'00101'::BIT", 'BIT', '00101'],
  ["'b'::ENUM('a', 'b')", "ENUM('a', 'b')", 'b'],
  ['\'{"a": [1, null]}\'::JSON', 'JSON', '{"a": [1, null]}'],
];

const nested: Value[] = [
  ['[1, NULL, 3]', 'INTEGER[]', [1, null, 3]],
  ['[]::INTEGER[]', 'INTEGER[]', []],
  ['[[1], [], NULL]', 'INTEGER[][]', [[1], [], null]],
  ['array_value(1, 2)', 'INTEGER[2]', [1, 2]],
  ["{'a': 1, 'b c': NULL}", 'STRUCT(a INTEGER, "b c" INTEGER)', { a: 1, 'b c': null }],
  ["MAP {'k': 1, 'l': NULL}", 'MAP(VARCHAR, INTEGER)', [{ key: 'k', value: 1 }, { key: 'l', value: null }]], // prettier-ignore
  ["MAP {1: [DATE '2020-01-01']}", 'MAP(INTEGER, DATE[])', [{ key: 1, value: ['2020-01-01'] }]],
  ["union_value(num := 5)::UNION(num INTEGER, text VARCHAR)", 'UNION(num INTEGER, text VARCHAR)', { tag: 'num', value: 5 }], // prettier-ignore
  ["[{'n': 9007199254740993, 'x': 'NaN'::DOUBLE}]", 'STRUCT(n BIGINT, x DOUBLE)[]', [{ n: '9007199254740993', x: 'NaN' }]], // prettier-ignore
  ["{'at': TIMESTAMPTZ '2020-01-01 00:00:00Z', 'of': [INTERVAL '1 month'], 'b': 'a'::BLOB}", 'STRUCT("at" TIMESTAMP WITH TIME ZONE, "of" INTERVAL[], b BLOB)', { at: '2020-01-01T00:00:00Z', of: ['P1M'], b: 'YQ==' }], // prettier-ignore
  ['[12345678901234567890::HUGEINT, 1]', 'HUGEINT[]', ['12345678901234567890', 1]],
  ['[1.5::DECIMAL(4,1), NULL]', 'DECIMAL(4,1)[]', [1.5, null]],
];

describe('the values of an answer', () => {
  let millrace: MillraceUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace();
    analyst = new Analyst((await millrace.newTenant()).asAdmin);
  });
  afterAll(() => millrace.stop());

  const plainType = (type: string): string => type.replaceAll('"', '');

  /** Values as columns of one row, each beside the NULL of its type. */
  async function expectKept(values: readonly Value[]): Promise<void> {
    const sql = `SELECT ${values.map(([value], index) => `${value} AS v${index}`).join(', ')}
      UNION ALL SELECT ${values.map(([value]) => `CASE WHEN false THEN ${value} END`).join(', ')}`;
    const answer = await analyst.ask(sql);
    expect(answer.types.map(plainType)).toEqual(values.map(([, type]) => plainType(type)));
    const expected = [values.map(([, , json]) => json), values.map(() => null)];
    expect(answer.rows).toEqual(expected);
    await expectSameResult(answer.result_id, answer.types, expected);
  }

  /** A result holds the same values and types, read as a page and read by SQL. */
  async function expectSameResult(id: string, types: string[], rows: unknown[][]): Promise<void> {
    const page = await eventually(`result ${id} is ready`, async () => {
      const { body } = await analyst.client.call('result.get', { path: { id } });
      return body.status === 'ready' && body;
    });
    expect(page).toMatchObject({ types, rows });
    await expect(analyst.ask(`FROM results.${id}`)).resolves.toMatchObject({ types, rows });
  }

  it.each([
    ['numbers', numbers],
    ['dates and times', times],
    ['texts and bytes', texts],
    ['lists, structs, maps and unions', nested],
  ])('are exact, as is a result of them: %s', (_, values) => expectKept(values));

  it('are exact deep within each other', async () => {
    const values = [...numbers, ...times].slice(0, 36);
    const list = values.map(([value], index) => `'v${index}': ${value}`).join(', ');
    const { rows } = await analyst.ask(`SELECT [{'inner': [{${list}}, NULL]}] AS deep`);
    const record = Object.fromEntries(values.map(([, , json], index) => [`v${index}`, json]));
    expect(rows).toEqual([[[{ inner: [record, null] }]]]);
  });

  it('have the types that SQL gives them', async () => {
    const { types, rows } = await analyst.ask(
      `SELECT sum(1) AS s, avg(1) AS a, count(*) AS c, 1 / 2 AS half, 7 // 2 AS whole, 2 ** 10 AS power, 1.5 + 1 AS d,
        'a' || 'b' AS t, DATE '2020-03-01' - DATE '2020-02-28' AS days, NULL AS nothing`,
    );
    expect(types).toEqual(['HUGEINT', 'DOUBLE', 'BIGINT', 'DOUBLE', 'INTEGER', 'DOUBLE', 'DECIMAL(12,1)', 'VARCHAR', 'BIGINT', 'INTEGER']); // prettier-ignore
    expect(rows).toEqual([[1, 1, 1, 0.5, 3, 1024, 2.5, 'ab', 2, null]]);
  });

  it('are exact in a table of 1,500 columns', async () => {
    const columns = Array.from({ length: 1_500 }, (_, index) => `${index} AS c${index}`);
    const { rows, result_id: id, types } = await analyst.ask(`SELECT ${columns.join(', ')}`);
    const expected = [columns.map((_, index) => index)];
    expect(rows).toEqual(expected);
    await expectSameResult(id, types, expected);
  });
});
