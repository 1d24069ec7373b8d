import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ClientRequest } from '@millrace/contract';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';

type Params = NonNullable<ClientRequest<'query.run'>['body']>['params'];

const sales = `region,day,amount
North,2025-01-01,100
North,2025-01-02,150
South,2025-01-01,70
East,2025-01-03,
`;
const regions = 'region,manager\nNorth,Ada\nSouth,Bo\nWest,Cy\n';
const big = 'key,n\na,9007199254740993\na,9223372036854775807\nb,9007199254740991\nb,1\nc,-5\n';

describe('a statement', () => {
  let millrace: MillraceUnderTest;
  let analyst: Analyst;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    millrace = await startMillrace();
    analyst = new Analyst((await millrace.newTenant()).asAdmin);
    for (const [table, content] of Object.entries({ sales, regions, big })) {
      const { body } = await analyst.client.call('dataset.create', {
        body: { label: table, source: { inline: { format: 'csv', content } } },
      });
      ids[table] = body.id;
    }
  });
  afterAll(() => millrace.stop());

  it.each<[string, string, unknown[][]]>([
    ['groups', 'SELECT region, sum(amount) AS total, count(*) FROM datasets.sales GROUP BY region ORDER BY region', [['East', null, 1], ['North', 250, 2], ['South', 70, 1]]], // prettier-ignore
    ['sums beyond 2^53 and beyond BIGINT, exactly', 'SELECT key, sum(n) FROM datasets.big GROUP BY key ORDER BY key', [['a', '9232379236109516800'], ['b', 9007199254740992], ['c', -5]]], // prettier-ignore
    ['joins two tables', 'SELECT s.region, manager, amount FROM datasets.sales s JOIN datasets.regions r ON s.region = r.region ORDER BY ALL', [['North', 'Ada', 100], ['North', 'Ada', 150], ['South', 'Bo', 70]]], // prettier-ignore
    ['joins outwards', 'SELECT r.region, s.region, sum(amount) FROM datasets.regions r FULL JOIN datasets.sales s USING (region) GROUP BY ALL ORDER BY ALL', [['North', 'North', 250], ['South', 'South', 70], ['West', null, null], [null, 'East', null]]], // prettier-ignore
    ['joins a table with itself', 'SELECT a.day, b.day FROM datasets.sales a, datasets.sales b WHERE a.region = b.region AND a.day < b.day', [['2025-01-01', '2025-01-02']]], // prettier-ignore
    ['has a CTE', 'WITH t AS (SELECT region, max(amount) AS top FROM datasets.sales GROUP BY ALL) SELECT count(*), max(top) FROM t', [[3, 150]]], // prettier-ignore
    ['has a CTE called like a table', 'WITH sales AS (SELECT 1 AS one) SELECT one, (SELECT count(*) FROM datasets.sales) FROM sales', [[1, 4]]], // prettier-ignore
    ['has a CTE called like the schema', 'WITH datasets AS (SELECT 1 AS one) SELECT * FROM datasets', [[1]]],
    ['has a CTE that hides another', 'WITH t AS (SELECT 1 AS n) SELECT * FROM (WITH t AS (SELECT 2 AS n) SELECT n FROM t), t', [[2, 1]]], // prettier-ignore
    ['recurs', 'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t', [[15]]], // prettier-ignore
    ['has windows', 'SELECT day, amount, sum(amount) OVER (PARTITION BY region ORDER BY day) AS running, lag(amount) OVER (ORDER BY day, region) AS before FROM datasets.sales ORDER BY day, region', [['2025-01-01', 100, 100, null], ['2025-01-01', 70, 70, 100], ['2025-01-02', 150, 250, 70], ['2025-01-03', null, null, 150]]], // prettier-ignore
    ['begins with FROM', 'FROM datasets.sales SELECT amount WHERE amount > 80 ORDER BY amount', [[100], [150]]],
    [
      'is nothing but FROM',
      'FROM datasets.regions',
      [
        ['North', 'Ada'],
        ['South', 'Bo'],
        ['West', 'Cy'],
      ],
    ],
    ['qualifies', 'SELECT region, amount FROM datasets.sales QUALIFY row_number() OVER (PARTITION BY region ORDER BY amount DESC NULLS LAST) = 1 ORDER BY region', [['East', null], ['North', 150], ['South', 70]]], // prettier-ignore
    ['unites', 'SELECT region FROM datasets.sales UNION SELECT region FROM datasets.regions ORDER BY region', [['East'], ['North'], ['South'], ['West']]], // prettier-ignore
    [
      'unites all, by name',
      'SELECT 1 AS a, 2 AS b UNION ALL BY NAME SELECT 3 AS b, 4 AS a',
      [
        [1, 2],
        [4, 3],
      ],
    ],
    ['intersects and excepts', '(SELECT region FROM datasets.regions EXCEPT SELECT region FROM datasets.sales) UNION ALL (SELECT region FROM datasets.regions INTERSECT SELECT region FROM datasets.sales) ORDER BY region', [['North'], ['South'], ['West']]], // prettier-ignore
    ['has subqueries', 'SELECT region FROM datasets.regions r WHERE NOT EXISTS (FROM datasets.sales s WHERE s.region = r.region) AND region IN (SELECT region FROM datasets.regions)', [['West']]], // prettier-ignore
    ['has a lateral subquery', 'SELECT region, twice FROM datasets.sales s, LATERAL (SELECT s.amount * 2 AS twice) WHERE twice > 200', [['North', 300]]], // prettier-ignore
    ['pivots named values', "PIVOT datasets.sales ON region IN ('North', 'South') USING sum(amount) GROUP BY day ORDER BY day", [['2025-01-01', 100, 70], ['2025-01-02', 150, null], ['2025-01-03', null, null]]], // prettier-ignore
    ['unpivots', 'SELECT region, name, value FROM (UNPIVOT (SELECT region, manager FROM datasets.regions) ON manager) ORDER BY region LIMIT 1', [['North', 'manager', 'Ada']]], // prettier-ignore
    ['names the schema main and other cases', 'SELECT count(*) FROM DATASETS.MAIN."Sales"', [[4]]],
    ['keeps the order of a table', 'SELECT region FROM datasets.sales', [['North'], ['North'], ['South'], ['East']]],
    ['orders and limits', 'SELECT amount FROM datasets.sales ORDER BY amount DESC NULLS LAST LIMIT 2 OFFSET 1', [[100], [70]]], // prettier-ignore
    ['has nothing to say', 'SELECT * FROM datasets.sales WHERE amount > 1000', []],
    ['has comments and semicolons', "/* of ; */ SELECT 1 -- one;\n + 1 /* ' */ ; ;\n-- the end", [[2]]],
    ['has semicolons in front of it', ';; /* ; */ SELECT 1', [[1]]],
    ['ends in a comment without a line end', 'SELECT 1 -- the end', [[1]]],
    ['has other white space', '\ufeff\u00a0SELECT\t1\r\n', [[1]]],
    [
      'is VALUES',
      "VALUES (1, 'a'), (2, NULL)",
      [
        [1, 'a'],
        [2, null],
      ],
    ],
    [
      'asks table functions',
      'SELECT range, unnest([range, 10]) FROM range(2)',
      [
        [0, 0],
        [0, 10],
        [1, 1],
        [1, 10],
      ],
    ],
  ])('%s', async (_, sql, rows) => {
    const answer = await analyst.ask(sql);
    expect(answer.rows).toEqual(rows);
    expect(answer).toMatchObject({ row_count: rows.length, total_row_count: rows.length, truncated: false });
  });

  it('names its columns as it was written, equal ones, too, here and as a result', async () => {
    const answer = await analyst.ask('SELECT 1 AS a, 2 AS a, 3 AS "A", 4 AS "b c", 5 + 1');
    expect(answer.columns).toEqual(['a', 'a', 'A', 'b c', '(5 + 1)']);
    expect(answer.rows).toEqual([[1, 2, 3, 4, 6]]);
    const { body } = await analyst.client.call('result.get', { path: { id: answer.result_id } });
    expect(body.columns).toEqual(answer.columns);
  });

  it('says which tables it read, each once', async () => {
    const sql = 'SELECT 1 FROM datasets.sales, datasets.sales b, datasets.regions LIMIT 1';
    const { inputs } = await analyst.ask(sql);
    expect(inputs.map(({ dataset_id: id }) => id).toSorted()).toEqual([ids['sales'], ids['regions']].toSorted());
    for (const { version_id: version } of inputs) expect(version).toMatch(/^vers/);
    await expect(analyst.ask('SELECT 1')).resolves.toMatchObject({ inputs: [] });
  });

  it.each<[string, string, Params, unknown[], string[]]>([
    ['of each kind, by number', 'SELECT $1, $2, $3, $4, $5', ['x', 1.5, true, null, 7], ['x', 1.5, true, null, 7], ['VARCHAR', 'DOUBLE', 'BOOLEAN', 'INTEGER', 'INTEGER']], // prettier-ignore
    ['by question mark', 'SELECT ? || ?', ['a', 'b'], ['ab'], ['VARCHAR']],
    ['by number, in any order and twice', 'SELECT $2, $1, $2', ['a', 'b'], ['b', 'a', 'b'], ['VARCHAR', 'VARCHAR', 'VARCHAR']], // prettier-ignore
    ['by name', 'SELECT $x::INT + 1 AS a, $y AS b, $x AS c', { x: 41, y: "it's" }, [42, "it's", 41], ['INTEGER', 'VARCHAR', 'INTEGER']], // prettier-ignore
    ['integers as wide as a double is exact', 'SELECT $1, $2', [Number.MAX_SAFE_INTEGER, 3e9], [9007199254740991, 3_000_000_000], ['BIGINT', 'BIGINT']], // prettier-ignore
    ['fractions and exponents', 'SELECT $1, $2', [-1.5e300, 0.1], [-1.5e300, 0.1], ['DOUBLE', 'DOUBLE']],
    ['text of any kind', 'SELECT $1, length($1)', ["é𝄞'; DROP TABLE x --"], ["é𝄞'; DROP TABLE x --", 20], ['VARCHAR', 'BIGINT']], // prettier-ignore
    ['that become other types', 'SELECT $1::DATE + 1, $2::DECIMAL(4,2)', ['2020-02-28', '1.25'], ['2020-02-29', 1.25], ['DATE', 'DECIMAL(4,2)']], // prettier-ignore
    ['none', 'SELECT 1', [], [1], ['INTEGER']],
    ['none, by name', 'SELECT 1', {}, [1], ['INTEGER']],
  ])('takes parameters: %s', async (_, sql, params, row, types) => {
    await expect(analyst.ask(sql, params && { params })).resolves.toMatchObject({ rows: [row], types });
  });

  it('never takes a parameter for SQL', async () => {
    const sql = 'SELECT count(*) FROM datasets.sales WHERE region = $1 LIMIT $2';
    await expect(analyst.rows(sql, ["North' OR 1 = 1 --", 5])).resolves.toEqual([[0]]);
    await expect(analyst.rows(sql, ['North', 5])).resolves.toEqual([[2]]);
    await expect(analyst.refusedSql('FROM $1', { params: ['datasets.sales'] })).resolves.toMatchObject({ status: 422 });
  });

  it.each<[string, string, Params]>([
    ['too few', 'SELECT $1, $2', ['a']],
    ['none at all', 'SELECT $1', undefined],
    ['too many', 'SELECT $1', ['a', 'b']],
    ['some that nobody asked for', 'SELECT 1', ['a']],
    ['too few by name', 'SELECT $a, $b', { a: 1 }],
    ['too many by name', 'SELECT $a', { a: 1, b: 2 }],
    ['another name', 'SELECT $a', { b: 1 }],
    ['names for numbers', 'SELECT $1', { a: 1 }],
    ['numbers for names', 'SELECT $a', [1]],
    ['a NUL in a text', 'SELECT $1', ['a\0b']],
    ['half a surrogate pair', 'SELECT $1', ['\ud834']],
  ])('does not run with parameters that do not fit: %s', async (_, sql, params) => {
    const problem = await analyst.refusedSql(sql, params && { params });
    expect(problem).toMatchObject({ status: 422, code: 'params.invalid', retryable: false });
  });

  it.each([
    ['a list', [[1]]],
    ['an object', { a: { b: 1 } }],
    ['a text for the list', 'x'],
  ])('takes no nested parameters: %s', async (_, params) => {
    const problem = await analyst.refusedSql('SELECT $1', { params: params as never });
    expect(problem).toMatchObject({
      status: 400,
      code: 'request.invalid',
      errors: [{ pointer: expect.stringMatching(/^\/params/) }],
    });
  });

  it.each([
    [0, 0, true],
    [3, 3, true],
    [10, 10, false],
    [1_000, 10, false],
  ])('answers with %i rows at most when told so', async (limit, count, truncated) => {
    const answer = await analyst.ask('SELECT range AS n FROM range(10) ORDER BY n DESC', { limit_rows: limit });
    expect(answer.rows).toEqual(Array.from({ length: count }, (_, index) => [9 - index]));
    expect(answer).toMatchObject({ row_count: count, total_row_count: 10, truncated });
  });

  it('answers with 10,000 rows and says that there are more', async () => {
    const answer = await analyst.ask('SELECT range AS n FROM range(10001)');
    expect(answer).toMatchObject({ row_count: 10_000, total_row_count: 10_001, truncated: true });
    expect(answer.rows.at(-1)).toEqual([9_999]);
    const exact = await analyst.ask('SELECT range AS n FROM range(10000)');
    expect(exact).toMatchObject({ row_count: 10_000, total_row_count: 10_000, truncated: false });
  });

  it('answers with 8 MB and says that there is more', async () => {
    const answer = await analyst.ask("SELECT repeat('x', 1000000) AS x, range AS n FROM range(20)");
    expect(answer).toMatchObject({ total_row_count: 20, truncated: true });
    expect(answer.row_count).toBeGreaterThan(5);
    expect(answer.row_count).toBeLessThan(10);
    expect(answer.rows.map(([text, n]) => [(text as string).length, n])).toEqual(
      Array.from({ length: answer.row_count }, (_, index) => [1_000_000, index]),
    );
  });

  it('orders a large result to its last row', async () => {
    const sql = 'SELECT (range * 7919) % 100003 AS n FROM range(100003) ORDER BY n DESC';
    const answer = await analyst.ask(sql);
    expect(answer.rows).toEqual(Array.from({ length: 10_000 }, (_, index) => [100_002 - index]));
    expect(answer.total_row_count).toBe(100_003);
  });
});
