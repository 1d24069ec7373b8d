import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';

describe('a statement that only looks', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;
  let analyst: Analyst;
  let salesId: string;

  beforeAll(async () => {
    millrace = await startMillrace();
    tenant = await millrace.newTenant();
    analyst = new Analyst(tenant.asAdmin);
    for (const [label, content] of [
      ['sales', 'region,amount\nNorth,100\nSouth,\n'],
      ['Airports', 'iata\nANC\n'],
    ] as const) {
      const { body } = await analyst.client.call('dataset.create', {
        body: { label, table_name: label, source: { inline: { format: 'csv', content } } },
      });
      if (label === 'sales') salesId = body.id;
    }
  });
  afterAll(() => millrace.stop());

  it.each<[string, unknown[][]]>([
    ['DESCRIBE datasets.sales', [['region', 'VARCHAR', 'YES', null, null, null], ['amount', 'BIGINT', 'YES', null, null, null]]], // prettier-ignore
    ['desc SELECT sum(amount) AS total FROM datasets.main.sales', [['total', 'HUGEINT', 'YES', null, null, null]]],
    ['SHOW datasets.airports;', [['iata', 'VARCHAR', 'YES', null, null, null]]],
    ['SUMMARIZE datasets.airports', [['iata', 'VARCHAR', 'ANC', 'ANC', 1, null, null, null, null, null, 1, 0]]],
    ['SHOW TABLES', [['Airports'], ['sales']]],
    ['SHOW TABLES FROM datasets', [['Airports'], ['sales']]],
    ['SHOW ALL TABLES', [['datasets', 'main', 'Airports', ['iata'], ['VARCHAR'], false], ['datasets', 'main', 'sales', ['region', 'amount'], ['VARCHAR', 'BIGINT'], false]]], // prettier-ignore
  ])('is answered, and not kept: %s', async (sql, rows) => {
    const answer = await analyst.look(sql);
    expect(answer.rows).toEqual(rows);
    expect(answer).toMatchObject({ result_id: null, row_count: rows.length, total_row_count: rows.length });
    expect(answer).toMatchObject({ truncated: false, warnings: [] });
    const { body } = await tenant.asAdmin.call('query.get', { path: { id: answer.query_run_id } });
    expect(body).toMatchObject({ status: 'succeeded', sql, result_id: null, row_count: rows.length, size_bytes: null });
  });

  it.each<[string, unknown[]]>([
    ['SHOW ALL TABLES', [{ database: 'datasets', schema: 'main', name: 'Airports', column_names: ['iata'], column_types: ['VARCHAR'], temporary: false }, { name: 'sales' }]], // prettier-ignore
    ['DESCRIBE datasets.Airports', [{ column_name: 'iata', column_type: 'VARCHAR', null: 'YES', key: null }]],
    ['EXPLAIN SELECT 1', [{ explain_key: 'physical_plan', explain_value: expect.any(String) }]],
  ])('has rows as objects when asked: %s', async (sql, rows) => {
    const { body } = await analyst.client.call('query.run', { body: { sql }, query: { format: 'objects' } });
    expect(body).toMatchObject({ rows, result_id: null });
  });

  it.each(['SHOW TABLES', 'EXPLAIN SELECT 1', 'SUMMARIZE datasets.sales'])(
    'is answered in JSON only: %s',
    async (sql) => {
      const table = analyst.client.call('query.run', { body: { sql }, query: { format: 'csv' } });
      await expect(problemOf(table)).resolves.toMatchObject({ status: 406, code: 'format.not_acceptable' });
    },
  );

  it('names the tables that it looked at, and takes parameters', async () => {
    const answer = await analyst.look('DESCRIBE SELECT $1 AS x FROM datasets.sales', { params: ['a'] });
    expect(answer.inputs).toMatchObject([{ dataset_id: salesId }]);
    expect(answer.rows).toEqual([['x', 'VARCHAR', 'YES', null, null, null]]);
    await expect(analyst.look('SHOW TABLES')).resolves.toMatchObject({ inputs: [], types: ['VARCHAR'] });
  });

  it('tells of a result as of a dataset', async () => {
    const id = await analyst.keep('SELECT sum(amount) AS total FROM datasets.sales');
    await expect(analyst.look(`DESCRIBE results.${id}`)).resolves.toMatchObject({ rows: [['total', 'HUGEINT', 'YES', null, null, null]] }); // prettier-ignore
  });

  it('may stand in FROM, where it is part of a statement whose rows are kept', async () => {
    const sql = 'SELECT column_name FROM (DESCRIBE datasets.sales) ORDER BY 1';
    const { rows, result_id: id } = await analyst.ask(sql);
    expect(rows).toEqual([['amount'], ['region']]);
    expect(id).toMatch(/^rslt/);
    const summary = 'WITH s AS (FROM datasets.sales) SELECT column_name, count FROM (SUMMARIZE s) WHERE count > $1';
    await expect(analyst.rows(summary, [1])).resolves.toEqual([['region', 2], ['amount', 2]]); // prettier-ignore
  });

  it.each(['EXPLAIN', 'EXPLAIN ANALYZE', '/* é */ explain (analyze, format json)', 'EXPLAIN (FORMAT graphviz)'])(
    '%s gives a plan, and no path',
    async (explain) => {
      const answer = await analyst.look(`${explain}\nSELECT sum(amount) FROM datasets.sales WHERE region = $1`, {
        params: ['North'],
      });
      expect(answer).toMatchObject({ result_id: null, columns: ['explain_key', 'explain_value'], row_count: 1 });
      const plan = answer.rows[0]?.[1] as string;
      expect(plan).toMatch(/READ_PARQUET|TABLE_SCAN/);
      expect(plan.replaceAll(/[\s│]/g, '')).not.toMatch(/inputs|scratch|children\/|\/tmp|engine\//);
    },
  );

  it.each([
    ['SHOW TABLES', { limit_rows: 1 }, [['Airports']]],
    ['DESCRIBE datasets.sales', { limit_rows: 1 }, [['region', 'VARCHAR', 'YES', null, null, null]]],
  ])('is cut like any answer, and says so: %s', async (sql, more, rows) => {
    await expect(analyst.look(sql, more)).resolves.toMatchObject({ rows, row_count: 1, total_row_count: 2, truncated: true }); // prettier-ignore
  });

  it.each([
    ['DESCRIBE datasets.other', 'table.unknown', 1, 10],
    ["SUMMARIZE '/etc/passwd'", 'table.unknown', 1, 11],
    ["EXPLAIN /* é */ SELECT 'é',\n nothing FROM datasets.sales", 'column.unknown', 2, 2],
    ["EXPLAIN ANALYZE SELECT 'é', nothing FROM datasets.sales", 'column.unknown', 1, 29],
    ['EXPLAIN ANALYZE INSERT INTO datasets.sales VALUES (1)', 'sql.not_allowed', 1, 17],
    ["EXPLAIN SELECT * FROM read_csv('/etc/passwd')", 'sql.not_allowed', 1, 23],
    ['EXPLAIN EXPLAIN SELECT 1', 'sql.not_allowed', 1, 9],
    ['EXPLAIN (FORMAT html) SELECT 1', 'sql.not_allowed', 1, 17],
    ['SELECT * FROM (SHOW TABLES)', 'sql.not_allowed', 1, 1],
    ['SHOW DATABASES', 'sql.not_allowed', 1, 1],
    ["SELECT 'é' FROM datasets.sales s AT (VERSION => 1)", 'sql.not_allowed', 1, 34],
    ['DESCRIBE SELECT nothing FROM datasets.sales', 'column.unknown', 1, 17],
  ])('is refused at its place: %s', async (sql, code, line, column) => {
    const problem = await analyst.refusedSql(sql);
    expect(problem).toMatchObject({ status: 422, code, errors: [{ line, column }] });
  });

  it.each([
    ['EXPLAIN SHOW TABLES', {}, 'sql.not_allowed'],
    ['SHOW TABLES', { params: [1] }, 'params.invalid'],
    ['DESCRIBE SELECT $1', {}, 'params.invalid'],
  ])('is refused: %s', async (sql, more, code) => {
    await expect(analyst.refusedSql(sql, more)).resolves.toMatchObject({ status: 422, code });
  });

  it('shows nobody the tables of another tenant', async () => {
    const other = new Analyst((await millrace.newTenant()).asAdmin);
    await expect(other.look('SHOW ALL TABLES')).resolves.toMatchObject({
      rows: [],
      total_row_count: 0,
      truncated: false,
    });
    await expect(other.refusedSql('DESCRIBE datasets.sales')).resolves.toMatchObject({ code: 'table.unknown' });
  });

  it('takes a list of 100,000 numbers', async () => {
    const sql = `SELECT count(*) FROM range(200000) t(i) WHERE i IN (${Array.from({ length: 100_000 }, (_, index) => index).join(', ')})`;
    await expect(analyst.rows(sql)).resolves.toEqual([[100_000]]);
  });
});
