import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Dataset } from '@millrace/catalog';
import { dryRunSchema } from '@millrace/contract';
import type { Principal } from '@millrace/domain';
import { eventually } from '@millrace/testing';
import { type QueryBody, QueryServiceHarness } from '../../test/query-service-harness.js';
import { createTable, makeReady } from '../../test/tables.js';

describe('a dry run', () => {
  let harness: QueryServiceHarness;
  let caller: Principal;
  let member: Principal;
  let sales: Dataset;

  beforeAll(async () => {
    harness = await QueryServiceHarness.start();
    const tenant = await harness.createTenant();
    caller = tenant.admin.principal;
    member = tenant.member.principal;
    const sql = "SELECT * FROM (VALUES ('North', 100, INTERVAL 1 DAY), ('South', 70, NULL)) t(region, amount, span)";
    sales = await createTable(harness, caller, { name: 'sales', sql });
  });
  afterAll(() => harness.stop());

  const dryRun = async (body: QueryBody | string, { who = caller, more = '' } = {}) => {
    const json = JSON.stringify(typeof body === 'string' ? { sql: body } : body);
    const answer = await harness.ask(who, `/v1/query?dry_run=true${more}`, { method: 'POST', body: json });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const runs = async () => (await harness.catalog.queryRuns.list(caller.tenantId, { limit: 100 })).items;

  it('tells the columns that a run has, and what it would read', async () => {
    const sql = `SELECT s.region, s.span, SUM(t.amount) OVER () AS total, $1 AS word
      FROM datasets.sales s JOIN datasets.SALES t USING (region)`;
    const body = { sql, params: ['x'] };
    const before = await runs();
    const { status, body: dry } = await dryRun(body);
    expect(status).toBe(200);
    const read = { dataset_id: sales.id, version_id: sales.headVersionId, row_count: 2, size_bytes: sales.sizeBytes };
    expect(dryRunSchema.parse(dry)).toEqual({
      columns: ['region', 'span', 'total', 'word'],
      types: ['VARCHAR', 'INTERVAL', 'HUGEINT', 'VARCHAR'],
      nullable: [true, true, true, true],
      inputs: [read],
      estimated_rows: 2,
      estimated_bytes: sales.sizeBytes,
    });
    expect(await runs()).toEqual(before);
    const { body: run } = await harness.query(caller, body);
    expect(run).toMatchObject({ columns: dry['columns'], types: dry['types'], nullable: dry['nullable'] });
  });

  it.each([
    "SELECT {'a': [1::HUGEINT]} AS nested, '12:00:00+02'::TIMETZ AS at, 'a'::ENUM ('a') AS letter, NULL AS nothing, 1 AS n, 2 AS n",
    "FROM datasets.sales SELECT COLUMNS('a.*'), count(*) GROUP BY ALL",
    'WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t',
    "PIVOT datasets.sales ON region IN ('North', 'South') USING sum(amount)",
  ])('tells the types of %s', async (sql) => {
    const { body: dry } = await dryRun(sql);
    const { body: run } = await harness.query(caller, sql);
    expect(dry).toMatchObject({ columns: run['columns'], types: run['types'] });
  });

  it('reads no file, and so needs none', async () => {
    const gone = await createTable(harness, caller, { name: 'gone', sql: 'SELECT 1 AS one' });
    const [table] = await harness.catalog.datasets.resolveTables(caller.tenantId, ['gone']);
    for (const { storageKey } of table?.head?.files ?? []) await harness.store.delete(storageKey);
    const { body } = await dryRun('FROM datasets.gone');
    expect(body).toMatchObject({ columns: ['one'], estimated_rows: 1, inputs: [{ dataset_id: gone.id }] });
  });

  it('shows the plan on request, without a path', async () => {
    const sql = 'SELECT region FROM datasets.sales WHERE amount > $least';
    const { body } = await dryRun({ sql, params: { least: 80 } }, { more: '&plan=true' });
    const plan = JSON.stringify(body['plan']);
    expect(body['plan']).toMatchObject([{ name: 'READ_PARQUET', extra_info: { Projections: 'region' } }]);
    expect(plan).toContain('amount>80');
    expect(plan).not.toContain(harness.folder);
  });

  it.each([
    { sql: '' },
    { sql: 'SELECT 1 +' },
    { sql: 'DROP TABLE datasets.sales' },
    { sql: 'SELECT 1; SELECT 2' },
    { sql: "SELECT 'é𝄞' AS x FROM datasets.sles" },
    { sql: "SELECT 'é𝄞' AS x, regoin FROM datasets.sales" },
    { sql: "SELECT 'é𝄞' AS x,\n  pi_of_it(1)" },
    { sql: "SELECT 'é𝄞' AS x, 1 + 'a'" },
    { sql: 'SELECT $1, $2', params: [1] },
    { sql: 'SELECT 1', timeout_ms: 30 * 60_000 + 1 },
    { sql: 'SELECT 1 FROM results.rslt01m7wedatjdsn5x90cwjbfgwzs' },
  ])('is refused as a run is: $sql', async (body) => {
    const { status, body: dry } = await dryRun(body);
    const { body: run } = await harness.query(caller, body);
    const { code, detail, errors } = run;
    expect({ status, ...dry }).toMatchObject({
      status: run['status'],
      code,
      detail,
      ...(errors !== undefined && { errors }),
    });
  });

  it('sees of results what the caller may see', async () => {
    const { body } = await harness.query(caller, 'SELECT 7 AS n');
    const sql = `FROM results.${String(body['result_id'])}`;
    expect((await dryRun(sql)).body).toMatchObject({ status: 422, code: 'result.processing' });
    const { id } = await makeReady(harness, caller, body['result_id']);
    expect((await dryRun(sql)).body).toMatchObject({ inputs: [{ result_id: id, row_count: 1 }], columns: ['n'] });
    expect((await dryRun(sql, { who: member })).body).toMatchObject({ status: 422, code: 'table.unknown' });
    const other = await harness.createTenant();
    const foreign = await dryRun('FROM datasets.sales', { who: other.admin.principal });
    expect(foreign.body).toMatchObject({ code: 'table.unknown' });
  });

  it.each(['EXPLAIN SELECT 1', 'DESCRIBE datasets.sales', 'SUMMARIZE datasets.sales', 'SHOW TABLES'])(
    'is of a SELECT, not of %s',
    async (sql) => {
      expect((await dryRun(sql)).body).toMatchObject({ status: 422, code: 'sql.not_allowed' });
    },
  );

  it('takes a place among the queries of its tenant', async () => {
    const { admin } = await harness.createTenant({ queryConcurrencyMax: 1 });
    const { principal } = admin;
    const left = new AbortController();
    const slow = 'SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)';
    const running = harness.query(principal, slow, { signal: left.signal });
    running.catch(() => undefined);
    await eventually(
      'a query runs',
      async () => (await harness.catalog.queryRuns.countActive(principal.tenantId)) === 1,
    );
    expect((await dryRun('SELECT 1', { who: principal })).body).toMatchObject({ status: 429, code: 'query.too_many' });
    left.abort();
    await expect(running).rejects.toThrow();
  });

  it('knows its parameters', async () => {
    const body = JSON.stringify({ sql: 'SELECT 1' });
    for (const query of ['dry_run=yes', 'plan=true', 'dry_run=false&plan=true', 'dryrun=true']) {
      const answer = await harness.ask(caller, `/v1/query?${query}`, { method: 'POST', body });
      expect(answer.status).toBe(400);
    }
  });
});
