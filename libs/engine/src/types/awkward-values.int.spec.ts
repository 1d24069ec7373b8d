import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ValueRoutes } from '../../test/value-routes.js';

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const nested = (levels: number, value: string): string => `${"{'f': ".repeat(levels)}${value}${'}'.repeat(levels)}`;

/** What each statement has that values of one type alone do not. */
const STATEMENTS: readonly (readonly [what: string, sql: string])[] = [
  [
    'sums beyond 64 bits',
    'SELECT sum(x) AS s, [sum(x)] AS l FROM (VALUES (9223372036854775807), (9223372036854775807)) AS t(x)',
  ],
  [
    'a map with equal keys, as a cast makes it',
    "SELECT MAP {'1': 1, '01': 2}::MAP(HUGEINT, INTEGER) AS a, MAP {'1': 1, '01': 2}::MAP(INTEGER, HUGEINT) AS b",
  ],
  [
    'intervals that are equal and not the same',
    'SELECT to_months(1) AS a, to_days(30) AS b, to_hours(720) AS c, to_months(1) = to_days(30) AS same',
  ],
  [
    'unions with NULL inside and NULL themselves',
    'SELECT unnest([union_value(a := 1), union_value(a := NULL), NULL]::UNION(a HUGEINT, b INTERVAL)[]) AS u',
  ],
  ['a union whose members have one type', `SELECT union_value("A,b" := 1)::UNION("x'y" INTEGER, "A,b" INTEGER) AS u`],
  [
    'a union in a union',
    'SELECT union_value(o := union_value(i := to_days(1))::UNION(i INTERVAL, n HUGEINT))::UNION(o UNION(i INTERVAL, n HUGEINT), p BIT) AS u',
  ],
  [
    'an ENUM of 5,000 values',
    `SELECT ['m4999', NULL]::ENUM(${range(5_000)
      .map((i) => `'m${i}'`)
      .join(', ')})[] AS e`,
  ],
  [
    'names of fields with every character',
    `SELECT {'a.b': 1, 'A b': 2, ' ': 3, 'é': 4, 'select': 5, 'x\ny': 6, '0': 7, 'q"q': 8, 'q''q': 9, 'x(y)': 10, 'a,b': 11, '\\': 12, 'MAP': 13, 'TIMESTAMP WITH TIME ZONE': 14, 'big': 15::HUGEINT, '${'n'.repeat(5_000)}': 16} AS s`,
  ],
  [
    'columns with the names of lambda parameters',
    "SELECT [to_days(1)] AS e0, {'e1': [1::HUGEINT]} AS e1, [[to_days(1)]] AS e2, MAP {'e3': [to_days(1)]} AS c0",
  ],
  [
    'NULL of nested types',
    "SELECT NULL::STRUCT(a HUGEINT, b INTERVAL) AS a, [NULL]::STRUCT(a INTERVAL)[] AS b, {'a': NULL::STRUCT(b INTERVAL)} AS c, MAP {'a': NULL::INTERVAL} AS d, [NULL::UNION(a INTERVAL, b HUGEINT)] AS e",
  ],
  [
    'no value that tells a type',
    "SELECT NULL AS a, [] AS b, [[]] AS c, MAP {} AS d, [NULL] AS e, {'a': NULL} AS f, union_value(a := NULL) AS g",
  ],
  ['no rows', "SELECT 1::HUGEINT AS a, [to_days(1)] AS b, 'x'::ENUM('x') AS c, {'a': 1} AS d WHERE false"],
  ['long numbers', "SELECT ('1' || repeat('0', 5000))::BIGNUM AS a, '-0'::BIGNUM AS b, '0009'::BIGNUM AS c"],
  ['a long list', 'SELECT list(i::HUGEINT) AS l, list(to_seconds(i)) AS m FROM range(20000) AS t(i)'],
];

/** What takes DuckDB a second to plan. */
const DEEP: typeof STATEMENTS = [
  ['64 levels', `SELECT ${nested(64, '1::HUGEINT')} AS deep`],
  ['18 lists within each other', `SELECT ${'['.repeat(18)}1::HUGEINT, NULL${']'.repeat(18)} AS deep`],
];

describe('a statement is answered as DuckDB does', () => {
  let routes: ValueRoutes;
  beforeAll(async () => {
    routes = await ValueRoutes.open();
  });
  afterAll(() => routes.close());

  const expectSame = (sql: string): Promise<void> => routes.expectSame(sql);
  const expectKept = (sql: string): Promise<void> => routes.expectKept(sql);
  const expectRows = (sql: string, rows: unknown[][]): Promise<void> => routes.expectRows(sql, rows);

  it.each(STATEMENTS)('with %s', (_, sql) => expectSame(sql));
  it.each(DEEP)('with %s', (_, sql) => expectKept(sql));

  it('with nested values and NULLs mixed over many vectors', async () => {
    await expectSame(`SELECT i, [i::HUGEINT, NULL] AS a, CASE WHEN i % 3 > 0 THEN {'i': i, 't': [to_seconds(i)]} END AS b,
        CASE WHEN i % 7 = 0 THEN union_value(h := i::HUGEINT)::UNION(h HUGEINT, s VARCHAR) WHEN i % 7 < 4 THEN 'x' || i END AS c,
        CASE WHEN i % 5 = 1 THEN MAP([to_days(i::INTEGER)], [i::BIT]) END AS d,
        CASE WHEN i % 2 = 0 THEN [{'i': to_days(i::INTEGER)}] END::STRUCT(i INTERVAL)[1] AS e
      FROM range(5000) AS t(i)`);
  });

  it('with rows, whose fields have no names', async () => {
    const sql =
      "SELECT row(1::HUGEINT, row('x', NULL::INTERVAL)) AS a, [row(1, 2), NULL] AS b, union_value(r := row(to_days(1))) AS c";
    await expectRows(sql, [[[1, ['x', null]], [[1, 2], null], { tag: 'r', value: ['P1D'] }]]);
  });

  it('with fields that objects of JavaScript have of themselves', async () => {
    const value = JSON.parse('{"__proto__":1,"constructor":{"__proto__":null},"toString":"x"}') as unknown;
    const sql = "SELECT {'__proto__': 1::HUGEINT, 'constructor': {'__proto__': NULL}, 'toString': 'x'} AS v";
    await expectRows(sql, [[value]]);
  });

  it('with an instant so far away that DuckDB has no text for it', async () => {
    const far = "'294247-01-10 04:00:54.775806+00'::TIMESTAMPTZ";
    const text = '294247-01-10T04:00:54.775806Z';
    await expectRows(`SELECT ${far} AS a, [${far}, NULL] AS b`, [[text, [text, null]]]);
  });

  it('with the same through results of results of results', async () => {
    const sql =
      "SELECT '12345678901234567890123456789.123456789'::DECIMAL(38,9) AS d, to_months(1) AS i, 1::UHUGEINT AS u, '12:00:00-00:00:01'::TIMETZ AS t";
    let result = await routes.fixture.query(sql);
    const { columns, rowsJson } = result;
    for (const table of ['first', 'second', 'third']) {
      const input = { schema: 'results' as const, table, files: [result.filePath], columns: result.columns };
      result = await routes.fixture.query(`FROM results.${table}`, { inputs: [input] });
    }
    expect(result).toMatchObject({ columns, rowsJson });
    expect(JSON.parse(rowsJson)).toEqual([['12345678901234567890123456789.123456789', 'P1M', 1, '12:00:00-00:00:01']]);
  });

  it.each([
    ['VARIANT', "SELECT [{'a': 1}::VARIANT] AS v", /VARIANT/],
    ['GEOMETRY', "SELECT 'POINT(1 2)'::GEOMETRY AS v", /GEOMETRY/],
    ['GEOMETRY with a coordinate system', "SELECT 'POINT(1 2)'::GEOMETRY('OGC:CRS84') AS v", /GEOMETRY/],
    ['a state of an aggregate', 'SELECT sum(1) EXPORT_STATE AS v', /AGGREGATE_STATE/],
    ['a type as a value', 'SELECT get_type(1) AS v', /TYPE/],
    ['an ARRAY of rows without names', 'SELECT array_value(row(1)) AS v', /ARRAY.*without names/],
    ['more than 64 levels', `SELECT ${nested(65, '1')} AS v`, /64 levels/],
    ['more than 200 levels', `SELECT ${nested(230, '1')} AS v`, /kept in a table/],
    ['more than 18 lists within each other', `SELECT ${'['.repeat(19)}1${']'.repeat(19)} AS v`, /18 lists/],
  ])('or refused, where a value can not be kept: %s', async (_, sql, sentence) => {
    const refusal = routes.fixture.query(sql);
    await expect(refusal).rejects.toMatchObject({ code: 'sql.invalid' });
    await expect(refusal).rejects.toThrow(sentence);
  });
});
