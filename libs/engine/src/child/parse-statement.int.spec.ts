import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ParseResult } from '../tasks/parse.task.js';
import { PoolFixture } from '../../test/pool-fixture.js';

describe('parse', () => {
  let fixture: PoolFixture;
  const parse = (sql: string): Promise<ParseResult> =>
    fixture.pool.run({ kind: 'parse', sql }, { tenantId: 'tenant-a', deadlineMs: 30_000 });

  beforeAll(async () => {
    fixture = await PoolFixture.open({ memoryBytes: 1.5 * 1024 ** 3 });
  });
  afterAll(() => fixture.close());

  it('gives what the gate let pass', async () => {
    expect(await parse("SELECT 'é', abs($x) FROM datasets.sales s AT (VERSION => 3)")).toEqual({
      statement: {
        ...{ form: 'select', parameters: ['x'], isVolatile: false },
        tables: [
          {
            ...{ schema: 'datasets', name: 'sales', alias: 's', version: { unit: 'version', value: 3 } },
            ...{ nameParts: 2, byteOffset: 26, place: { line: 1, column: 26 } },
          },
        ],
      },
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('takes two statements for the same when only their layout differs', async () => {
    const { fingerprint } = await parse("SELECT a, count(*) FROM datasets.t WHERE b = 'x' GROUP BY a");
    const same = "/* é */ select a,\n\tCOUNT( * )\u00a0-- rows\nfrom datasets.t\nwhere (b = 'x')\ngroup by a;";
    expect((await parse(same)).fingerprint).toBe(fingerprint);
  });

  it.each([
    ["SELECT 'x'", "SELECT 'X'"],
    ['SELECT 9007199254740992', 'SELECT 9007199254740993'],
    ['SELECT 170141183460469231731687303715884105726', 'SELECT 170141183460469231731687303715884105727'],
    ['SELECT 1234567890123456789.01', 'SELECT 1234567890123456789.02'],
    ['SELECT 1.0', 'SELECT 1.00'],
    ['SELECT 1', 'SELECT 1.0'],
    ['SELECT 1e0', 'SELECT 1.0'],
    ['SELECT 0.1e0', 'SELECT 0.10000000000000002e0'],
    ['SELECT -0e0', 'SELECT 0e0'],
    ['SELECT a FROM datasets.t', 'SELECT A FROM datasets.t'],
    ['SELECT a FROM datasets.t', 'SELECT a AS b FROM datasets.t'],
    ['SELECT a FROM datasets.t ORDER BY a', 'SELECT a FROM datasets.t ORDER BY a DESC'],
    ['SELECT a FROM datasets.t ORDER BY a NULLS FIRST', 'SELECT a FROM datasets.t ORDER BY a NULLS LAST'],
    ['SELECT a FROM datasets.t', 'SELECT DISTINCT a FROM datasets.t'],
    ['SELECT 1 UNION SELECT 1', 'SELECT 1 UNION ALL SELECT 1'],
    ['SELECT $1', 'SELECT $2'],
    ['SELECT \'"query_location":1\'', 'SELECT \'"query_location":2\''],
    ['SELECT 1 AS """query_location"":1"', 'SELECT 1 AS """query_location"":2"'],
    ["SELECT DATE '2020-01-01'", "SELECT DATE '2020-01-02'"],
    ['SELECT INTERVAL 1 DAY', 'SELECT INTERVAL 1 HOUR'],
    ['SELECT x[1:2] FROM datasets.t', 'SELECT x[1:2:1] FROM datasets.t'],
    ["SELECT 'a' COLLATE NOCASE < 'B'", "SELECT 'a' < 'B'"],
    ['SELECT sum(a) OVER (ROWS 1 PRECEDING) FROM datasets.t', 'SELECT sum(a) OVER (ROWS 2 PRECEDING) FROM datasets.t'],
    ['SELECT sum(a) OVER (ROWS 1 PRECEDING) FROM datasets.t', 'SELECT sum(a) OVER (RANGE 1 PRECEDING) FROM datasets.t'],
    ['SELECT list(a ORDER BY b) FROM datasets.t', 'SELECT list(a) FROM datasets.t'],
    ['FROM datasets.t LIMIT 1', 'FROM datasets.t LIMIT 2'],
    ['FROM datasets.t LIMIT 10', 'FROM datasets.t LIMIT 10%'],
    ['FROM datasets.t JOIN datasets.u USING (a)', 'FROM datasets.t LEFT JOIN datasets.u USING (a)'],
    ['FROM datasets.t ASOF JOIN datasets.u USING (a)', 'FROM datasets.t JOIN datasets.u USING (a)'],
    ['SELECT TRY_CAST(a AS INTEGER) FROM datasets.t', 'SELECT CAST(a AS INTEGER) FROM datasets.t'],
    ['SELECT a::DECIMAL(10, 2) FROM datasets.t', 'SELECT a::DECIMAL(10, 3) FROM datasets.t'],
  ])('tells %s from %s', async (one, other) => {
    const [first, second] = await Promise.all([parse(one), parse(other)]);
    expect(first.fingerprint).not.toBe(second.fingerprint);
  });

  it.each([
    'SELECT random()',
    'SELECT a FROM datasets.t WHERE a < RANDOM() * 10',
    'SELECT gen_random_uuid(), uuidv7()',
    'SELECT now()',
    'SELECT current_date',
    'SELECT CURRENT_TIMESTAMP',
    'SELECT localtime',
    'SELECT today()',
    'SELECT age(a) FROM datasets.t',
    'SELECT ago(INTERVAL 1 DAY)',
    'SELECT list_transform([1], lambda x: x + random())',
    'WITH w AS (SELECT uuid() AS u) FROM w',
    'FROM datasets.t TABLESAMPLE 10%',
    'FROM datasets.t USING SAMPLE 5',
    'SELECT reservoir_quantile(a, 0.5) FROM datasets.t',
    'FROM datasets.t ORDER BY random()',
    'SELECT sum(a) FILTER (WHERE random() > 0.5) FROM datasets.t',
    'SELECT a FROM datasets.t QUALIFY row_number() OVER (ORDER BY uuid()) = 1',
    'FROM range((random() * 10)::INTEGER)',
  ])('sees that the rows of %s may change', async (sql) => {
    expect((await parse(sql)).statement.isVolatile).toBe(true);
  });

  it.each([
    'SELECT a, b, sum(c) FROM datasets.t GROUP BY ALL ORDER BY ALL',
    "SELECT 'now()', date_trunc('day', a), strftime(a, '%Y'), md5(b) FROM datasets.t",
    'SELECT a.now, a.random FROM datasets.t a',
    'FROM range(3)',
  ])('sees that the rows of %s stay', async (sql) => {
    expect((await parse(sql)).statement.isVolatile).toBe(false);
  });

  it.each([
    ["SELECT 'é€😀',\n  'é' fro m x", 'sql.syntax', 'near "m"', 2, 11],
    ['/* é */ WITH a AS (SELECT 1) INSERT INTO t FROM a', 'sql.not_allowed', 'INSERT', 1, 30],
    ['FROM (PIVOT t ON x USING sum(y))', 'sql.not_allowed', 'PIVOT needs its values', 1, 7],
    ['SELECT 1; DELETE FROM x', 'sql.not_allowed', 'one statement', 1, 11],
    ["ATTACH ':memory:' AS x", 'sql.not_allowed', 'ATTACH is not allowed', 1, 1],
    ["FROM datasets.sales, '/etc/passwd'", 'table.unknown', '/etc/passwd', 1, 22],
  ])('refuses %j, with its place', async (sql, code, words, line, column) => {
    await expect(parse(sql)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
      errors: [{ message: expect.any(String), line, column }],
    });
  });

  it.each([
    ['a list of 100,000 numbers', `SELECT 1 IN (${Array.from({ length: 100_000 }, (_, index) => index).join(', ')})`],
    ['1 MiB of numbers', `SELECT [${Array.from({ length: 130_000 }, (_, index) => 1_000_000 + index).join(',')}]`],
    ['1 MiB of rows', `VALUES ${Array.from({ length: 85_000 }, (_, index) => `(${index}, 'a')`).join(',')}`],
    ['1 MiB of text', `SELECT '${'é'.repeat(500_000)}'`],
  ])('takes %s', async (_, sql) => {
    await expect(parse(sql)).resolves.toMatchObject({ statement: { form: 'select', tables: [] } });
  });

  it('says what to do about a statement with too many parts, and goes on', async () => {
    const calls = `SELECT [${Array.from({ length: 205_000 }, () => '-a+b').join(',')}]`;
    await expect(parse(calls)).rejects.toMatchObject({
      code: 'query.memory',
      message: 'The statement has too many parts. Put long lists into a dataset, and join it.',
    });
    await expect(parse('SELECT 1')).resolves.toMatchObject({ statement: { form: 'select' } });
  });

  it('ends a statement that takes too long to parse, and goes on', async () => {
    const deep = `SELECT ${'['.repeat(20_000)}`;
    await parse(deep).catch((error: unknown) => error);
    await expect(parse('SELECT 1')).resolves.toMatchObject({ statement: { form: 'select' } });
  });
});
