import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { queryAnswerSchema } from '@millrace/contract';
import { newId, type Principal, type QueryRunId } from '@millrace/domain';
import { createDataset } from '@millrace/testing';
import { type QueryBody, QueryServiceHarness } from '../../test/query-service-harness.js';
import { createTable, makeReady } from '../../test/tables.js';

type MetricValue = { readonly labels: Partial<Record<string, string | number>>; readonly metricName?: string };

describe('query.run', () => {
  let harness: QueryServiceHarness;
  let caller: Principal;
  let member: Principal;

  beforeAll(async () => {
    harness = await QueryServiceHarness.start();
    const tenant = await harness.createTenant();
    caller = tenant.admin.principal;
    member = tenant.member.principal;
    const sales = "SELECT * FROM (VALUES ('North', 100), ('North', 150), ('South', 70)) t(region, amount)";
    await createTable(harness, caller, { name: 'sales', sql: sales });
    const regions = "SELECT * FROM (VALUES ('North', 'Ada'), ('South', 'Bo')) t(region, manager)";
    await createTable(harness, caller, { name: 'regions', sql: regions });
  });
  afterAll(() => harness.stop());

  const problemOf = async (body: QueryBody | string): Promise<Record<string, unknown>> => {
    const answer = await harness.query(caller, body);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    return answer.body;
  };

  it('answers with rows, types and where they came from', async () => {
    const sql = 'SELECT region, SUM(amount) AS total FROM datasets.sales GROUP BY region ORDER BY region;';
    const { status, body, headers } = await harness.query(caller, sql);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    const { id, headVersionId } = (await harness.catalog.datasets.list(caller.tenantId, { limit: 10 })).items.find(
      (dataset) => dataset.tableName === 'sales',
    ) ?? { id: '' };
    expect(queryAnswerSchema.parse(body)).toEqual({
      query_run_id: expect.stringMatching(/^qrun/),
      result_id: expect.stringMatching(/^rslt/),
      columns: ['region', 'total'],
      types: ['VARCHAR', 'HUGEINT'],
      nullable: [true, true],
      rows: [
        ['North', 250],
        ['South', 70],
      ],
      row_count: 2,
      total_row_count: 2,
      truncated: false,
      execution_time_ms: expect.any(Number),
      reused: false,
      inputs: [{ dataset_id: id, version_id: headVersionId }],
      warnings: [],
    });
  });

  it('loses nothing of a value', async () => {
    const sql = `SELECT 9007199254740993 AS big, 12345678901234567890.12::DECIMAL(30, 2) AS money, 'NaN'::DOUBLE AS nan,
      TIMESTAMP '2020-02-29 12:00:00.123456' AS at, {'a': [1, NULL]} AS nested, '{"<\\"é𝄞' AS text, NULL AS nothing`;
    expect(await harness.rows(caller, sql)).toEqual([
      [
        '9007199254740993',
        '12345678901234567890.12',
        'NaN',
        '2020-02-29T12:00:00.123456',
        { a: [1, null] },
        '{"<\\"é𝄞',
        null,
      ],
    ]);
  });

  it('joins tables, named in any case, with an alias, more than once', async () => {
    const sql = `WITH top AS (SELECT * FROM datasets.SALES WHERE amount > 90)
      SELECT r.manager, count(*) FROM top JOIN datasets.main."Regions" r USING (region)
      WHERE region IN (SELECT region FROM datasets.sales) GROUP BY ALL`;
    const { body } = await harness.query(caller, sql);
    expect(body).toMatchObject({ rows: [['Ada', 2]], inputs: [{ dataset_id: expect.anything() }, {}] });
  });

  it('binds parameters by number and by name', async () => {
    const byNumber = 'SELECT sum(amount) FROM datasets.sales WHERE region = $1 AND amount > $2';
    expect(await harness.rows(caller, { sql: byNumber, params: ["Nor'th", 1] })).toEqual([[null]]);
    expect(await harness.rows(caller, { sql: byNumber, params: ['North', 100] })).toEqual([[150]]);
    const byName = 'SELECT $a AS a, $b AS b, $c AS c, $d AS d';
    expect(await harness.rows(caller, { sql: byName, params: { a: 1.5, b: null, c: true, d: "x'" } })).toEqual([
      [1.5, null, true, "x'"],
    ]);
    expect(await problemOf({ sql: byName, params: { a: 1 } })).toMatchObject({ status: 422, code: 'params.invalid' });
    expect(await problemOf({ sql: 'SELECT $1', params: ['a\0b'] })).toMatchObject({ code: 'params.invalid' });
    expect(await problemOf({ sql: 'SELECT $a', params: { a: '\ud800' } })).toMatchObject({ code: 'params.invalid' });
  });

  it('limits the answer, not the result', async () => {
    const { body } = await harness.query(caller, { sql: 'SELECT * FROM range(25000)', limit_rows: 2 });
    expect(body).toMatchObject({ rows: [[0], [1]], row_count: 2, total_row_count: 25_000, truncated: true });
    const { body: most } = await harness.query(caller, { sql: 'SELECT * FROM range(25000)', limit_rows: 1_000_000 });
    expect(most).toMatchObject({ row_count: 10_000, total_row_count: 25_000, truncated: true });
    const { body: none } = await harness.query(caller, { sql: 'SELECT 1', limit_rows: 0 });
    expect(none).toMatchObject({ rows: [], row_count: 0, total_row_count: 1, truncated: true });
  });

  it('limits the bytes of the answer and of the result by tenant', async () => {
    const { admin } = await harness.createTenant({ inlineAnswerBytesMax: 100_000, resultBytesMax: 1_000_000 });
    const long = await harness.query(admin.principal, "SELECT repeat('x', 10000) FROM range(100)");
    expect(long.body).toMatchObject({ truncated: true, total_row_count: 100 });
    expect(long.text.length).toBeLessThan(101_000);
    const large = await harness.query(admin.principal, 'SELECT md5(range::VARCHAR) FROM range(200000)');
    expect(large.body).toMatchObject({ status: 422, code: 'query.result_too_large' });
  });

  it('refuses what is no request, and keeps no record of it', async () => {
    const before = await runsOf(caller);
    expect(await problemOf('')).toMatchObject({ status: 400, code: 'sql.empty' });
    expect(await problemOf(' -- nothing\n;; /* … */')).toMatchObject({ status: 400, code: 'sql.empty' });
    expect(await problemOf('x'.repeat(1024 * 1024 + 1))).toMatchObject({ status: 400, code: 'sql.too_long' });
    expect(await problemOf({ sql: 'SELECT 1', limit_rows: -1 })).toMatchObject({ code: 'request.invalid' });
    const slow = await problemOf({ sql: 'SELECT 1', timeout_ms: 30 * 60_000 + 1 });
    expect(slow).toMatchObject({ status: 400, code: 'request.invalid', errors: [{ pointer: '/timeout_ms' }] });
    expect((await runsOf(caller)).length).toBe(before.length);
  });

  it.each([
    ['SELECT 1 +', 'sql.syntax', undefined],
    ["SELECT 'é𝄞' AS x FROM datasets.sles", 'table.unknown', { line: 1, column: 23 }],
    ["SELECT 'é𝄞' AS x, regoin FROM datasets.sales", 'column.unknown', { line: 1, column: 19 }],
    ["SELECT 'é𝄞' AS x,\n  pi_of_it(1)", 'function.unknown', { line: 2, column: 3 }],
    ["SELECT 'é𝄞' AS x, 1 + 'a'", 'sql.invalid', { line: 1, column: 21 }],
    ["SELECT 'é𝄞', region::INTEGER FROM datasets.sales", 'sql.failed', { line: 1, column: 20 }],
    ['SELECT * FROM sales', 'table.unknown', { line: 1, column: 15 }],
    ['DROP TABLE datasets.sales', 'sql.not_allowed', { line: 1, column: 1 }],
    ['SELECT 1; SELECT 2', 'sql.not_allowed', undefined],
    ["SELECT * FROM '/etc/passwd'", 'table.unknown', { line: 1, column: 15 }],
    ["SELECT * FROM read_csv('/etc/passwd')", 'sql.not_allowed', { line: 1, column: 15 }],
    ['SELECT \0 1', 'sql.syntax', { line: 1, column: 8 }],
  ])('says what is wrong with %j', async (sql, code, place) => {
    const problem = await problemOf(sql);
    expect(problem).toMatchObject({ status: 422, code, retryable: false });
    if (place) expect(problem['errors']).toMatchObject([place]);
    const [run] = await runsOf(caller);
    expect(run).toMatchObject({ status: 'failed', error: { code, detail: problem['detail'] }, leaseUntil: null });
  });

  it('suggests tables that are named alike', async () => {
    expect(await problemOf('SELECT * FROM datasets.sals')).toMatchObject({
      detail: expect.stringContaining('datasets.sales'),
    });
  });

  it('keeps errors that quote what Postgres can not keep', async () => {
    const problem = await problemOf("SELECT error('a' || chr(0) || 'b')");
    expect(problem).toMatchObject({ status: 422 });
    expect((await runsOf(caller))[0]).toMatchObject({ status: 'failed', error: { code: problem['code'] } });
  });

  it('knows a dataset that is still being converted', async () => {
    await createDataset(harness.catalog, caller, { tableName: 'coming' });
    expect(await problemOf('SELECT * FROM datasets.coming')).toMatchObject({
      status: 422,
      code: 'table.unknown',
      detail: expect.stringContaining('no rows yet'),
      errors: [{ line: 1, column: 15 }],
    });
  });

  it('keeps a record of each query', async () => {
    const { body } = await harness.query(caller, { sql: 'SELECT amount + $1 FROM datasets.sales', params: [1] });
    const run = await harness.catalog.queryRuns.get(caller.tenantId, body['query_run_id'] as QueryRunId);
    expect(run).toMatchObject({
      status: 'succeeded',
      sql: 'SELECT amount + $1 FROM datasets.sales',
      params: [1],
      timeoutMs: 30_000,
      resultId: body['result_id'],
      rowCount: 3,
      sizeBytes: expect.any(Number),
      error: null,
      leaseUntil: null,
      inputs: [{ datasetId: expect.stringMatching(/^data/), versionId: expect.stringMatching(/^vers/) }],
    });
  });

  it('reads results, of the caller, that are ready', async () => {
    const { body } = await harness.query(
      member,
      "SELECT range AS n, 1::HUGEINT AS one, INTERVAL '1' MONTH AS i FROM range(3)",
    );
    const table = `results.${String(body['result_id'])}`;
    expect(await harness.query(member, `SELECT * FROM ${table}`)).toMatchObject({
      body: { status: 422, code: 'result.processing', errors: [{ line: 1, column: 15 }] },
    });
    await makeReady(harness, member, body['result_id']);
    const answer = await harness.query(member, `SELECT sum(n) AS total, any_value(i) AS i FROM ${table.toUpperCase()}`);
    expect(answer.body).toMatchObject({
      rows: [[3, 'P1M']],
      types: ['HUGEINT', 'INTERVAL'],
      inputs: [{ result_id: body['result_id'] }],
    });
    expect(await harness.rows(caller, `SELECT count(*) FROM ${table}`)).toEqual([[3]]);
    const other = await harness.createTenant();
    const { body: unreadable } = await harness.query(other.admin.principal, `SELECT * FROM ${table}`);
    const unknownId = newId('result');
    const { body: unknown } = await harness.query(other.admin.principal, `SELECT * FROM results.${unknownId}`);
    expect(unreadable).toMatchObject({ status: 422, code: 'table.unknown' });
    expect(unreadable['detail']).toBe(String(unknown['detail']).replace(unknownId, String(body['result_id'])));
  });

  it('does not tell a member of results of others', async () => {
    const { body } = await harness.query(caller, 'SELECT 1');
    await makeReady(harness, caller, body['result_id']);
    const answer = await harness.query(member, `SELECT * FROM results.${String(body['result_id'])}`);
    expect(answer.body).toMatchObject({ status: 422, code: 'table.unknown' });
  });

  it('gives one tenant nothing of another', async () => {
    const { admin } = await harness.createTenant();
    const { body } = await harness.query(admin.principal, 'SELECT * FROM datasets.sales');
    const { body: unknown } = await harness.query(admin.principal, 'SELECT * FROM datasets.other');
    expect(body).toMatchObject({ status: 422, code: 'table.unknown' });
    expect(body['detail']).toBe(String(unknown['detail']).replace('other', 'sales'));
  });

  it('asks for a signed context and its scope', async () => {
    expect((await fetch(`${harness.url}/v1/query`, { method: 'POST' })).status).toBe(401);
    const answer = await harness.query({ ...caller, scopes: ['queries:read'] }, 'SELECT 1');
    expect(answer.body).toMatchObject({ status: 403, code: 'auth.forbidden' });
  });

  it('logs neither statements nor rows', async () => {
    await harness.query(caller, "SELECT 'a-secret-value' FROM datasets.sales WHERE region = 'another-secret'");
    await harness.query(caller, "SELECT 'a-secret-value'::INTEGER");
    expect(harness.logLines.join('')).toContain('qrun');
    expect(harness.logLines.join('')).not.toMatch(/a-secret|another-secret/);
  });

  it('measures queries by their outcome', async () => {
    await harness.query(caller, 'SELECT 1');
    expect(await countOf('succeeded')).toBeGreaterThan(0);
    await harness.query(caller, 'SELECT 1 +');
    expect(await countOf('sql.syntax')).toBeGreaterThan(0);
    const running = await harness.metrics.getSingleMetric('millrace_queries_running')?.get();
    expect(running?.values).toMatchObject([{ value: 0 }]);
  });

  it('is ready when Postgres and the store are', async () => {
    expect(await (await fetch(`${harness.url}/readyz`)).json()).toMatchObject({ status: 'ready' });
    harness.store.fail('ping', { times: 1 });
    const answer = await fetch(`${harness.url}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ checks: { object_store: { status: 'down' } } });
  });

  const countOf = async (outcome: string): Promise<number> => {
    const metric = await harness.metrics.getSingleMetric('millrace_query_duration_seconds')?.get();
    const counts = metric?.values.filter(({ labels, metricName }: MetricValue) => {
      return metricName?.endsWith('_count') && labels['outcome'] === outcome;
    });
    return counts?.[0]?.value ?? 0;
  };

  const runsOf = async ({ tenantId }: Principal) =>
    (await harness.catalog.queryRuns.list(tenantId, { limit: 100 })).items;
});

describe('query.run with an engine instance for each statement', () => {
  it('answers as it does otherwise', async () => {
    const harness = await QueryServiceHarness.start({ ENGINE_ISOLATION: 'statement' });
    try {
      const { admin } = await harness.createTenant();
      await createTable(harness, admin.principal, { name: 'numbers', sql: 'SELECT range AS n FROM range(4)' });
      expect(await harness.rows(admin.principal, 'SELECT sum(n) FROM datasets.numbers')).toEqual([[6]]);
    } finally {
      await harness.stop();
    }
  });
});
