import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TableInput } from '../tasks/table-input.js';
import { PoolFixture } from '../../test/pool-fixture.js';

/** SQL → its JSON value by the rule of the HTTP contract. */
const VALUES: readonly (readonly [sql: string, json: unknown])[] = [
  ['NULL::INTEGER', null],
  ['true', true],
  ['(-128)::TINYINT', -128],
  ['9007199254740992::BIGINT', 9007199254740992],
  ['9007199254740993::BIGINT', '9007199254740993'],
  ['(-9223372036854775808)::BIGINT', '-9223372036854775808'],
  ['18446744073709551615::UBIGINT', '18446744073709551615'],
  ['170141183460469231731687303715884105727::HUGEINT', '170141183460469231731687303715884105727'],
  ['250::HUGEINT', 250],
  ['340282366920938463463374607431768211455::UHUGEINT', '340282366920938463463374607431768211455'],
  ["'123456789012345678901234567890123456789012345678'::BIGNUM", '123456789012345678901234567890123456789012345678'],
  ['12.30::DECIMAL(12,2)', 12.3],
  ["'1234567890123456.78'::DECIMAL(38,2)", '1234567890123456.78'],
  ['100000000000000000000000::DECIMAL(38,0)', '100000000000000000000000'],
  ["'100000000000000.50'::DECIMAL(38,2)", '100000000000000.50'],
  ["'-0.00012300'::DECIMAL(38,8)", -0.000123],
  ["'123.45'::DECIMAL(38,10)", 123.45],
  ['0.1::FLOAT', 0.1],
  ['1e300::DOUBLE', 1e300],
  ["'nan'::DOUBLE", 'NaN'],
  ["'-inf'::FLOAT", '-Infinity'],
  ["'q\"\\é' || chr(10) || chr(0)", 'q"\\é\n\0'],
  ["'a\\x00\\xFF'::BLOB", 'YQD/'],
  ["DATE '2020-02-29'", '2020-02-29'],
  ["'infinity'::DATE", 'infinity'],
  ["TIME '12:00:00.5'", '12:00:00.5'],
  ["TIMESTAMP '2020-02-29 12:00:00.123456'", '2020-02-29T12:00:00.123456'],
  ["'2020-02-29 12:00:00'::TIMESTAMP_S", '2020-02-29T12:00:00'],
  ["'-infinity'::TIMESTAMP_S", '-infinity'],
  ["'2020-02-29 12:00:00.123'::TIMESTAMP_MS", '2020-02-29T12:00:00.123'],
  ["'2020-02-29 12:00:00.123456789'::TIMESTAMP_NS", '2020-02-29T12:00:00.123456789'],
  ["'0044-03-15 (BC) 12:00:00'::TIMESTAMP", '0044-03-15T12:00:00 (BC)'],
  ["'2020-02-29 12:00:00.5+02'::TIMESTAMPTZ", '2020-02-29T10:00:00.5Z'],
  ["'infinity'::TIMESTAMPTZ", 'infinity'],
  ["'12:00:00+02'::TIMETZ", '12:00:00+02:00'],
  ["'12:00:00.123456-05:30'::TIMETZ", '12:00:00.123456-05:30'],
  ["'12:00:00+00'::TIMETZ", '12:00:00Z'],
  ["'12:00:00.123456789'::TIME_NS", '12:00:00.123456789'],
  ["INTERVAL '1 year 2 months 3 days 4.5 seconds'", 'P1Y2M3DT4.5S'],
  ['to_months(-13) + to_days(5) + to_microseconds(-3661000001)', 'P-1Y-1M5DT-1H-1M-1.000001S'],
  ['to_microseconds(-500000)', 'PT-0.5S'],
  ['to_days(0)', 'PT0S'],
  ["'00000000-0000-0000-0000-00000000000a'::UUID", '00000000-0000-0000-0000-00000000000a'],
  ["'10101'::BIT", '10101'],
  ["'b''c'::ENUM('a', 'b''c', 'x,y)')", "b'c"],
  ['\'{"a": null}\'::JSON', '{"a": null}'],
  ['[1, NULL, 3]', [1, null, 3]],
  ['[]::INTEGER[]', []],
  [`${'['.repeat(18)}1, NULL${']'.repeat(18)}`, JSON.parse(`${'['.repeat(18)}1, null${']'.repeat(18)}`)],
  ['NULL::INTEGER[]', null],
  ['[1, 2]::INTEGER[2]', [1, 2]],
  [
    "[['a', 'b'], ['c', NULL]]::VARCHAR[2][2]",
    [
      ['a', 'b'],
      ['c', null],
    ],
  ],
  ["{'a b': 1, 'q\"': [9007199254740993]}", { 'a b': 1, 'q"': ['9007199254740993'] }],
  ['NULL::STRUCT(a HUGEINT)', null],
  ["row(1::HUGEINT, 'x')", [1, 'x']],
  [
    "MAP {'k': 1::HUGEINT, 'l': NULL}",
    [
      { key: 'k', value: 1 },
      { key: 'l', value: null },
    ],
  ],
  ['NULL::MAP(VARCHAR, HUGEINT)', null],
  ['union_value(num := 1)::UNION(num INTEGER, str VARCHAR)', { tag: 'num', value: 1 }],
  ["'x'::UNION(num INTEGER, str VARCHAR)", { tag: 'str', value: 'x' }],
  [
    "[{'u': 'x'::UNION(h HUGEINT, s VARCHAR), 'i': INTERVAL 1 DAY, 'm': MAP {'a'::ENUM('a'): [1::HUGEINT]::HUGEINT[1]}}]",
    [{ u: { tag: 's', value: 'x' }, i: 'P1D', m: [{ key: 'a', value: [1] }] }],
  ],
];

describe('values', () => {
  let fixture: PoolFixture;
  beforeAll(async () => {
    fixture = await PoolFixture.open();
  });
  afterAll(() => fixture.close());

  it.each(VALUES)('%s', async (sql, json) => {
    const stored = await fixture.query(`SELECT ${sql} AS v`);
    expect(JSON.parse(stored.rowsJson)).toEqual([[json]]);
    const [column] = stored.columns;
    const inputs: TableInput[] = [
      { schema: 'datasets', table: 't', files: [stored.filePath], columns: stored.columns },
    ];
    // Text, because intervals of different parts are equal and NaN is a number to nobody else.
    const compared = `SELECT v::VARCHAR IS NOT DISTINCT FROM (${sql})::VARCHAR, typeof(v) FROM datasets.t`;
    expect(await fixture.rows(compared, { inputs })).toEqual([[true, column?.type]]);
  });

  it('keeps intervals at the ends of their range', async () => {
    const sql = 'SELECT to_months(2147483647) + to_days(-2147483648) + to_microseconds(9223372036854775807) AS v';
    const stored = await fixture.query(sql);
    const inputs: TableInput[] = [
      { schema: 'datasets', table: 't', files: [stored.filePath], columns: stored.columns },
    ];
    expect(await fixture.rows('SELECT v::VARCHAR FROM datasets.t', { inputs })).toEqual([
      ['178956970 years 7 months -2147483648 days 2562047788:00:54.775807'],
    ]);
  });

  it('reads 1,200 columns, and as many fields of one', async () => {
    const values = Array.from({ length: 1_200 }, (_, index) => index);
    const wide = await fixture.query(`SELECT ${values.map((value) => `${value}::HUGEINT AS c${value}`).join(', ')}`);
    expect(JSON.parse(wide.rowsJson)).toEqual([values]);
    const deep = await fixture.query(`SELECT {${values.map((value) => `'c${value}': ${value}`).join(', ')}} AS v`);
    expect(JSON.parse(deep.rowsJson)).toEqual([[Object.fromEntries(values.map((value) => [`c${value}`, value]))]]);
  });

  it('gives rows as objects, with the names of the file', async () => {
    const sql = `SELECT 1 AS a, NULL AS "A", 9007199254740993 AS "q""", 2 AS a`;
    const { rowsJson, filePath, columns } = await fixture.query(sql, { rowFormat: 'objects' });
    expect(rowsJson).toBe('[{"a":1,"A_1":null,"q\\"":"9007199254740993","a_2":2}]');
    const page = await fixture.pool.run(
      { kind: 'read', files: [filePath], columns, offset: 0, limit: 9, answerBytesMax: 999, rowFormat: 'objects' },
      { tenantId: 'tenant-a', deadlineMs: 20_000 },
    );
    expect(page.rowsJson).toBe(rowsJson);
  });

  it('refuses a type that can not be kept', async () => {
    await expect(fixture.query('SELECT [1::VARIANT] AS v')).rejects.toMatchObject({ code: 'sql.invalid' });
    const lists = `SELECT ${'['.repeat(24)}1${']'.repeat(24)} AS v`;
    await expect(fixture.query(lists)).rejects.toMatchObject({ code: 'sql.invalid' });
    await expect(fixture.query(lists.replace(' AS v', '::JSON AS v'))).resolves.toMatchObject({ rowCount: 1 });
  });
});
