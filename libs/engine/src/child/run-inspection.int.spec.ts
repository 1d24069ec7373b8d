import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InspectAnswer, InspectRequest } from '../tasks/inspect.task.js';
import type { TableInput } from '../tasks/table-input.js';
import { PoolFixture } from '../../test/pool-fixture.js';

/** Parts of the paths of an engine process. */
const PATHS = /inputs|scratch|\/tmp|millrace-engine/;

const TEXT = { analyze: false, format: 'text' } as const;
const ANALYZE = { analyze: true, format: 'text' } as const;

describe.each(['tenant', 'statement'] as const)('inspect, with an instance for each %s', (isolation) => {
  let fixture: PoolFixture;
  let inputs: TableInput[];

  beforeAll(async () => {
    fixture = await PoolFixture.open({ isolation });
    const sales = await fixture.query(
      'SELECT i AS id, \'région \' || i % 3 AS "ré", sum(i) AS total FROM range(10) t(i) GROUP BY ALL',
    );
    inputs = ['sales', 'Sales_2'].map((table) => ({
      ...{ schema: 'datasets', table, files: [sales.filePath], columns: sales.columns },
    }));
  });
  afterAll(() => fixture.close());

  const inspect = (sql: string, request: Partial<InspectRequest> = {}): Promise<InspectAnswer> => {
    const limits = { rowsMax: 1_000, answerBytesMax: 1_000_000 };
    return fixture.pool.run(
      { kind: 'inspect', sql, inputs, ...limits, ...request },
      { tenantId: 'a', deadlineMs: 20_000 },
    );
  };
  const rowsOf = ({ rowsJson }: InspectAnswer): unknown[][] => JSON.parse(rowsJson) as unknown[][];
  const planOf = async (sql: string, request: Partial<InspectRequest> = {}): Promise<string> => {
    const answer = await inspect(sql, { explain: TEXT, ...request });
    expect(answer.columns.map(({ name, type }) => [name, type])).toEqual([
      ['explain_key', 'VARCHAR'],
      ['explain_value', 'VARCHAR'],
    ]);
    expect(answer).toMatchObject({ rowCount: 1, rowsReturned: 1, truncated: false });
    return String(rowsOf(answer)[0]?.[1]);
  };

  it('describes a table with its logical types, and a query with its parameters', async () => {
    const answer = await inspect('DESCRIBE datasets.sales;');
    expect(answer.columns.map(({ name }) => name)).toEqual([
      'column_name',
      'column_type',
      'null',
      'key',
      'default',
      'extra',
    ]);
    expect(rowsOf(answer).map(([name, type]) => [name, type])).toEqual([
      ['id', 'BIGINT'],
      ['ré', 'VARCHAR'],
      ['total', 'HUGEINT'],
    ]);
    const query = await inspect(';; DESC SELECT $x AS x, s.total FROM datasets.sales s -- end', { params: { x: 'a' } });
    expect(rowsOf(query).map(([name, type]) => [name, type])).toEqual([
      ['x', 'VARCHAR'],
      ['total', 'HUGEINT'],
    ]);
  });

  it('summarizes, with numbers as they are in every answer', async () => {
    const answer = await inspect('SUMMARIZE SELECT id, total FROM datasets.sales WHERE id < ?', { params: [4] });
    expect(answer.columns.map(({ type }) => type)).toEqual([
      ...['VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'BIGINT'],
      ...['VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'BIGINT', 'DECIMAL(9,2)'],
    ]);
    const [name, type, min, max, distinct, average] = rowsOf(answer)[0] ?? [];
    expect([name, type, min, max, distinct, average]).toEqual(['id', 'BIGINT', '0', '3', 4, '1.5']);
    expect(rowsOf(answer)[1]?.slice(-2)).toEqual([4, 0]);
  });

  it('counts all rows, and gives those within its limits', async () => {
    const wide = `DESCRIBE SELECT ${Array.from({ length: 50 }, (_, index) => `${index} AS c${index}`).join(', ')}`;
    const few = await inspect(wide, { rowsMax: 2 });
    expect(few).toMatchObject({ rowCount: 50, rowsReturned: 2, truncated: true });
    expect(rowsOf(few).map(([name]) => name)).toEqual(['c0', 'c1']);
    await expect(inspect(wide, { answerBytesMax: 100 })).resolves.toMatchObject({ rowsReturned: 2, truncated: true });
    await expect(inspect(wide, { answerBytesMax: 10 })).resolves.toMatchObject({ rowsJson: '[]', truncated: true });
  });

  it('explains without running', async () => {
    const plan = await planOf("SELECT error('ran') FROM datasets.sales WHERE id > $1", { params: [3] });
    expect(plan).toContain('READ_PARQUET');
    expect(plan).not.toContain(fixture.folder);
  });

  it('explains what ran, and names the tables where DuckDB names their files', async () => {
    const plan = await planOf('        \n  SELECT sum(a.total) FROM datasets.sales a, datasets."Sales_2"', {
      explain: ANALYZE,
    });
    const flat = plan.replace(/[\s│]+/g, '');
    expect(flat).toMatch(/datasets\.sales\/[0-9a-f]{8}/);
    expect(flat).toMatch(/datasets\.Sales_2\/[0-9a-f]{8}/);
    expect(flat).not.toMatch(PATHS);
    expect(plan).toContain('EXPLAIN (ANALYZE, FORMAT text) SELECT sum(a.total)');
    // The names are gone: a table of the next statement could have them.
    await expect(planOf('SELECT sum(id) FROM datasets.sales', { explain: ANALYZE })).resolves.toContain(
      'datasets.sales',
    );
  });

  it.each(['json', 'mermaid', 'graphviz'] as const)('explains as %s', async (format) => {
    const plan = await planOf('SELECT sum(total) FROM datasets.sales', { explain: { analyze: true, format } });
    expect(plan).toContain('datasets.sales/');
    expect(plan).not.toMatch(PATHS);
    if (format === 'json') expect(JSON.parse(plan)).toMatchObject({ children: expect.any(Array) });
  });

  it.each([
    ["DESCRIBE SELECT 'é',\n  nothing FROM datasets.sales", undefined, 'column.unknown', 2, 3],
    ["SUMMARIZE SELECT 'é', nothing FROM datasets.sales", undefined, 'column.unknown', 1, 23],
    ["        SELECT 'é', nothing FROM datasets.sales", TEXT, 'column.unknown', 1, 21],
    ["/* é */ ;        ;\n SELECT 'é', nothing FROM datasets.sales", ANALYZE, 'column.unknown', 2, 14],
  ])('says where %j is wrong', async (sql, explain, code, line, column) => {
    await expect(inspect(sql, { explain })).rejects.toMatchObject({
      code,
      errors: [{ message: expect.any(String), line, column }],
    });
  });

  it.each([
    ['CREATE TABLE x AS SELECT 1', ANALYZE, 'sql.not_allowed'],
    ['SELECT 1; SELECT 2', TEXT, 'sql.not_allowed'],
    ['SELECT $1', TEXT, 'params.invalid'],
    ["SELECT error('ran')", ANALYZE, 'sql.failed'],
    ["SUMMARIZE SELECT error('ran')", undefined, 'sql.failed'],
    ["SELECT 1) TO 'x' (FORMAT csv", TEXT, 'sql.syntax'],
    ['DESCRIBE SELECT 1) x, (SELECT 2', undefined, 'sql.syntax'],
  ])('refuses %j', async (sql, explain, code) => {
    await expect(inspect(sql, { explain })).rejects.toMatchObject({ code });
  });

  it('ends at the deadline like every statement', async () => {
    const sql = 'SELECT count(*) FROM range(1000000000) a, range(1000000000) b';
    const request = { kind: 'inspect', sql, inputs, explain: ANALYZE, rowsMax: 1, answerBytesMax: 1_000 } as const;
    await expect(fixture.pool.run(request, { tenantId: 'a', deadlineMs: 500 })).rejects.toMatchObject({
      code: 'query.deadline',
    });
  });
});
