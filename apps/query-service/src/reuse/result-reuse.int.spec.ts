import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Dataset, Result } from '@millrace/catalog';
import type { Principal, QueryRunId, ResultId } from '@millrace/domain';
import { type Answer, type QueryBody, QueryServiceHarness } from '../../test/query-service-harness.js';
import { createTable, makeReady } from '../../test/tables.js';

const SALES = "SELECT * FROM (VALUES ('North', 100), ('North', 150), ('South', 70)) t(region, amount)";
const SUMS = 'SELECT region, SUM(amount) AS total FROM datasets.sales GROUP BY region ORDER BY region';
const ROWS = [
  ['North', 250],
  ['South', 70],
];

describe('an earlier result', () => {
  let harness: QueryServiceHarness;
  let caller: Principal;
  let member: Principal;
  let sales: Dataset;

  beforeAll(async () => {
    harness = await QueryServiceHarness.start();
  });
  beforeEach(async () => {
    const tenant = await harness.createTenant();
    caller = tenant.admin.principal;
    member = tenant.member.principal;
    sales = await createTable(harness, caller, { name: 'sales', sql: SALES });
  });
  afterAll(() => harness.stop());

  const ask = (body: QueryBody | string, who = caller): Promise<Answer> => harness.query(who, body);
  /** Asks, and waits until others can have the result. */
  const askFirst = async (body: QueryBody | string, who = caller): Promise<Result> => {
    const answer = await ask(body, who);
    expect(answer.body).toMatchObject({ reused: false });
    return makeReady(harness, who, answer.body['result_id']);
  };
  const resultOf = ({ body }: Answer): Promise<Result> =>
    harness.catalog.results.get(caller.tenantId, body['result_id'] as ResultId);
  const countOf = async (outcome: string): Promise<number> => {
    const metric = await harness.metrics.getSingleMetric('millrace_query_reuse_total')?.get();
    return metric?.values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0;
  };

  it('answers the same question, however it is laid out', async () => {
    const earlier = await askFirst(SUMS);
    const hits = await countOf('hit');
    const again = await ask(`-- once more\n${SUMS.replaceAll(' ', '\n\t').replace('SELECT', 'select')};`);
    expect(again.body).toMatchObject({
      ...{ reused: true, rows: ROWS, row_count: 2, total_row_count: 2, truncated: false, warnings: [] },
      ...{ columns: ['region', 'total'], types: ['VARCHAR', 'HUGEINT'], execution_time_ms: expect.any(Number) },
      inputs: [{ dataset_id: sales.id, version_id: sales.headVersionId }],
    });
    expect(await countOf('hit')).toBe(hits + 1);
    const { storageKey } = earlier;
    expect(await resultOf(again)).toMatchObject({ status: 'ready', storageKey, rowCount: 2, jobId: null });
    expect(
      await harness.catalog.blobs.find({ tenantId: caller.tenantId, storageKey: String(storageKey) }),
    ).toMatchObject({
      referenceCount: 2,
    });
  });

  it('leaves a run and a result of its own in the history', async () => {
    const earlier = await askFirst(SUMS);
    const { body } = await ask(SUMS);
    expect(body['result_id']).not.toBe(earlier.id);
    const run = await harness.catalog.queryRuns.get(caller.tenantId, body['query_run_id'] as QueryRunId);
    expect(run).toMatchObject({ status: 'succeeded', resultId: body['result_id'], rowCount: 2, leaseUntil: null });
    expect(run.inputs).toEqual([{ datasetId: sales.id, versionId: sales.headVersionId }]);
    await harness.catalog.resultLifetimes.delete(caller.tenantId, earlier.id);
    const page = await harness.get(caller, `/v1/results/${String(body['result_id'])}`);
    expect(page.body).toMatchObject({ status: 'ready', rows: ROWS, query_run_id: body['query_run_id'] });
    expect((await ask(SUMS)).body).toMatchObject({ reused: true, rows: ROWS });
  });

  it('is cut to what the answer may hold, and has the form that was asked for', async () => {
    await askFirst(SUMS);
    expect((await ask({ sql: SUMS, limit_rows: 1 })).body).toMatchObject({
      ...{ reused: true, rows: [['North', 250]], row_count: 1, total_row_count: 2, truncated: true },
    });
    expect((await ask({ sql: SUMS, limit_rows: 0 })).body).toMatchObject({ reused: true, rows: [], truncated: true });
    const body = JSON.stringify({ sql: SUMS });
    const objects = await harness.ask(caller, '/v1/query?format=objects', { method: 'POST', body });
    await expect(objects.json()).resolves.toMatchObject({ reused: true, rows: [{ region: 'North', total: 250 }, {}] });
  });

  it('keeps every type and every digit', async () => {
    const sql = `SELECT sum(amount) * 100000000000000000000 AS big, INTERVAL '1 month' AS span, '12:00:00+02'::TIMETZ AS at,
      {'a': [1::HUGEINT, NULL]} AS nested, 1 AS n, 2 AS n FROM datasets.sales`;
    const { body: first } = await ask(sql);
    await makeReady(harness, caller, first['result_id']);
    const { body: again } = await ask(sql);
    expect(again).toMatchObject({
      reused: true,
      rows: first['rows'],
      types: first['types'],
      columns: first['columns'],
    });
  });

  it('of another user is a result of the own', async () => {
    const earlier = await askFirst(SUMS);
    const { body } = await ask(SUMS, member);
    expect(body).toMatchObject({ reused: true, rows: ROWS });
    const own = `/v1/results/${String(body['result_id'])}`;
    expect((await harness.get(member, own)).body).toMatchObject({ status: 'ready', rows: ROWS });
    expect((await harness.get(member, `/v1/results/${earlier.id}`)).status).toBe(404);
  });

  it('does not cross to another tenant with the same names and the same bytes', async () => {
    await askFirst(SUMS);
    const { admin } = await harness.createTenant();
    await createTable(harness, admin.principal, { name: 'sales', sql: SALES });
    expect((await ask(SUMS, admin.principal)).body).toMatchObject({ reused: false, rows: ROWS });
  });

  it('is not for whoever may not read what it was made of', async () => {
    const kept = await askFirst(SUMS);
    const sql = `SELECT count(*) FROM results.${kept.id}`;
    await askFirst(sql);
    expect((await ask(sql)).body).toMatchObject({ reused: true, rows: [[2]], inputs: [{ result_id: kept.id }] });
    expect((await ask(sql, member)).body).toMatchObject({ status: 422, code: 'table.unknown' });
  });

  it('is another one once the table is another one', async () => {
    await askFirst(SUMS);
    await harness.catalog.datasets.delete(caller.tenantId, sales.id);
    await createTable(harness, caller, { name: 'sales', sql: `${SALES} WHERE amount > 90` });
    expect((await ask(SUMS)).body).toMatchObject({ reused: false, rows: [['North', 250]] });
  });

  it('has the parameters that were bound, and no others', async () => {
    const sql = 'SELECT $1 AS p, count(*) FROM datasets.sales';
    await askFirst({ sql, params: [1] });
    expect((await ask({ sql, params: [1] })).body).toMatchObject({ reused: true, rows: [[1, 3]] });
    expect((await ask({ sql, params: ['1'] })).body).toMatchObject({ reused: false, rows: [['1', 3]] });
    expect((await ask({ sql, params: [true] })).body).toMatchObject({ reused: false, rows: [[true, 3]] });
  });

  it.each([
    ['volatile', { sql: 'SELECT random() AS r, amount FROM datasets.sales' }],
    ['volatile', { sql: "SELECT * FROM datasets.sales WHERE current_date > DATE '2020-01-01'" }],
    ['volatile', { sql: 'FROM datasets.sales USING SAMPLE 2' }],
    ['no_table', { sql: 'SELECT 42 AS answer' }],
    ['unwanted', { sql: 'SELECT max(amount) FROM datasets.sales', reuse: 'never' }],
  ])('is not looked for (%s): %j', async (outcome, body) => {
    const before = await countOf(outcome);
    const first = await askFirst(body);
    expect(first.reuseKey === null).toBe(outcome !== 'unwanted');
    expect((await ask(body)).body).toMatchObject({ reused: false });
    expect(await countOf(outcome)).toBe(before + 2);
  });

  it('may be one that was made without looking for one', async () => {
    await askFirst({ sql: SUMS, reuse: 'never' });
    expect((await ask({ sql: SUMS, reuse: 'exact' })).body).toMatchObject({ reused: true });
  });

  it('is not the answer where a table alone is asked for', async () => {
    await askFirst(SUMS);
    const before = await countOf('format');
    const body = JSON.stringify({ sql: SUMS });
    const csv = await harness.ask(caller, '/v1/query?format=csv', { method: 'POST', body });
    await expect(csv.text()).resolves.toBe('region,total\nNorth,250\nSouth,70\n');
    expect(await countOf('format')).toBe(before + 1);
  });

  it('is one that is ready', async () => {
    const { body } = await ask(SUMS);
    expect((await ask(SUMS)).body).toMatchObject({ reused: false });
    const { id } = await makeReady(harness, caller, body['result_id']);
    await harness.expireNow(caller.tenantId, id);
    expect((await ask(SUMS)).body).toMatchObject({ reused: false, rows: ROWS });
  });

  it('whose file is gone is no answer: the statement runs', async () => {
    const earlier = await askFirst(SUMS);
    await harness.store.delete(String(earlier.storageKey));
    const before = await countOf('gone');
    const answer = await ask(SUMS);
    expect(answer.body).toMatchObject({ reused: false, rows: ROWS });
    expect(await countOf('gone')).toBe(before + 1);
    expect(await harness.catalog.results.get(caller.tenantId, earlier.id)).toMatchObject({ status: 'failed' });
    await makeReady(harness, caller, answer.body['result_id']);
    expect((await ask(SUMS)).body).toMatchObject({ reused: true, rows: ROWS });
  });

  it('answers many who ask at once', async () => {
    const earlier = await askFirst(SUMS);
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(SUMS)));
    expect(answers.map(({ body }) => [body['reused'], body['rows']])).toEqual(answers.map(() => [true, ROWS]));
    const { tenantId } = caller;
    expect(await harness.catalog.blobs.find({ tenantId, storageKey: String(earlier.storageKey) })).toMatchObject({
      referenceCount: 7,
    });
  });
});
