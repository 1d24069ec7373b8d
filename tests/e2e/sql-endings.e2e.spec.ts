import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ProblemError, QueryRunBody } from '@millrace/contract';
import { eventually } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';
import { killWorkingEngines } from './harness/working-engines.js';

const ENDLESS = 'SELECT count(*) FROM range(100000000000) a, range(100) b WHERE hash(a.range) = 1';

describe('the end of a statement', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace();
  });
  beforeEach(async () => {
    tenant = await millrace.newTenant();
    analyst = new Analyst(tenant.asAdmin);
  });
  afterAll(() => millrace.stop());

  /** The newest run of the tenant, once it is in a status. */
  const newestRun = (status: QueryRunBody['status']): Promise<QueryRunBody> =>
    eventually(`a run is ${status}`, async () => {
      const { body } = await tenant.asAdmin.call('query.list', { query: { limit: 1 } });
      return body.queries[0]?.status === status && body.queries[0];
    });
  const cancel = (id: string) => tenant.asAdmin.call('query.cancel', { path: { id } });

  it.each([
    ['that never ends', ENDLESS],
    [
      'that recurs for ever',
      'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t',
    ],
    // DuckDB does not hear an interrupt in this one: its process is killed.
    ['that can not be interrupted', "SELECT levenshtein(repeat('a', 120000), repeat('b', 120000))"],
  ])('is its deadline for one %s', async (_, sql) => {
    const startedAt = performance.now();
    const problem = await analyst.refusedSql(sql, { timeout_ms: 700 });
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect(problem).toMatchObject({ status: 504, code: 'query.deadline', detail: expect.stringContaining('700 ms') });
    await expect(analyst.rows('SELECT 1')).resolves.toEqual([[1]]);
    const { body } = await tenant.asAdmin.call('query.list', { query: { status: 'failed' } });
    expect(body.queries).toMatchObject([{ sql, error: { code: 'query.deadline' }, result_id: null }]);
  });

  it('is not beyond the deadline of the tenant', async () => {
    const problem = await analyst.refusedSql('SELECT 1', { timeout_ms: 24 * 60 * 60_000 });
    expect(problem).toMatchObject({ status: 400, code: 'request.invalid', errors: [{ pointer: '/timeout_ms' }] });
  });

  it.each([
    ['a text of 4 GB', "SELECT length(repeat('x', 4000000000))"],
    ['a list of 400 million numbers', 'SELECT len(range(400000000))'],
  ])('is its fence of memory for %s, and the next one works', async (_, sql) => {
    const problem = await analyst.refusedSql(sql);
    expect(problem).toMatchObject({ status: 422, code: 'query.memory', retryable: false });
    await expect(analyst.rows('SELECT 1')).resolves.toEqual([[1]]);
    expect(await newestRun('succeeded')).toMatchObject({ sql: 'SELECT 1' });
    const { body } = await tenant.asAdmin.call('query.list', { query: { status: 'failed' } });
    expect(body.queries).toMatchObject([{ sql, error: { code: 'query.memory' } }]);
  });

  it('is a cancel: the caller hears of it, and only the owner of the query may', async () => {
    const answer = problemOf(analyst.ask(ENDLESS));
    const { id } = await newestRun('running');
    const stranger = await millrace.newTenant();
    for (const client of [stranger.asAdmin, tenant.asMember]) {
      const refused = await problemOf(client.call('query.cancel', { path: { id } }));
      expect(refused).toMatchObject({ status: 404, code: 'query.not_found' });
    }
    const accepted = await cancel(id);
    expect([accepted.status, accepted.body.id]).toEqual([202, id]);
    expect(await answer).toMatchObject({ status: 409, code: 'query.cancelled' });
    const run = await newestRun('cancelled');
    expect(run).toMatchObject({ id, cancel_requested: true, result_id: null, finished_at: expect.any(String) });
    await expect(cancel(id)).resolves.toMatchObject({ status: 202, body: { id, status: 'cancelled' } });
    await expect(analyst.rows('SELECT 1')).resolves.toEqual([[1]]);
  });

  it('is the end of the client', async () => {
    const client = new AbortController();
    const answer = tenant.asAdmin.call('query.run', { body: { sql: ENDLESS }, signal: client.signal });
    const { id } = await newestRun('running');
    client.abort();
    await expect(answer).rejects.toThrow(/abort/i);
    expect(await newestRun('cancelled')).toMatchObject({ id, sql: ENDLESS, result_id: null });
  });

  it('is query.crashed when its process is killed in the middle, and the next one works', async () => {
    await analyst.convert(await analyst.upload({ bytes: 'a\n1\n', type: 'text/csv' }));
    const sql = 'SELECT count(*) FROM datasets.t1, range(100000000000) WHERE hash(range + a) = 1';
    const answer = tenant.asAdmin.call('query.run', { body: { sql } }).catch((error: unknown) => error);
    const { id } = await newestRun('running');
    const enginesFolder = join(millrace.dataFolder, 'engine', 'query');
    await eventually('its process is killed', async () => (await killWorkingEngines(enginesFolder)) > 0);
    const error = (await answer) as ProblemError;
    expect(error.problem).toMatchObject({ status: 503, code: 'query.crashed', retryable: true });
    expect(error.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(await newestRun('failed')).toMatchObject({ id, result_id: null, error: { code: 'query.crashed' } });
    await expect(analyst.rows('SELECT a FROM datasets.t1')).resolves.toEqual([[1]]);
  });

  it('frees its place for others, however it came', async () => {
    const cancelled = Array.from({ length: 3 }, () => problemOf(analyst.ask(ENDLESS)));
    const running = await eventually('three run', async () => {
      const { body } = await tenant.asAdmin.call('query.list', { query: { status: 'running' } });
      return body.queries.length === 3 && body.queries;
    });
    for (const { id } of running) await cancel(id);
    for (const problem of await Promise.all(cancelled)) expect(problem.code).toBe('query.cancelled');
    const answers = await Promise.all([1, 2, 3].map((n) => analyst.rows('SELECT $1', [n])));
    expect(answers).toEqual([[[1]], [[2]], [[3]]]);
  });

  it('is remembered with its error', async () => {
    const { body: table } = await tenant.asAdmin.call('dataset.create', {
      body: { label: 'One', source: { inline: { format: 'csv', content: 'a\n1\n2\n' } } },
    });
    const good = await analyst.ask('SELECT a FROM datasets.one WHERE a > $1', { params: [1] });
    const statements: [sql: string, code: string][] = [
      ['SELECT 1 +', 'sql.syntax'],
      ['SELECT b FROM datasets.one', 'column.unknown'],
      ['FROM datasets.two', 'table.unknown'],
      ['DROP TABLE datasets.one', 'sql.not_allowed'],
      ["SELECT 'x'::INTEGER", 'sql.failed'],
      ['SELECT $1', 'params.invalid'],
    ];
    for (const [sql, code] of statements) expect(await analyst.refusedSql(sql)).toMatchObject({ code });
    const { body } = await tenant.asAdmin.call('query.list');
    expect(body.queries.map(({ sql, status, error }) => [sql, status, error?.code])).toEqual([
      ...statements.toReversed().map(([sql, code]) => [sql, 'failed', code]),
      ['SELECT a FROM datasets.one WHERE a > $1', 'succeeded', undefined],
    ]);
    expect(body.queries.at(-1)).toMatchObject({
      ...{ id: good.query_run_id, result_id: good.result_id, row_count: 1, inputs: [{ dataset_id: table.id }] },
      ...{ size_bytes: expect.any(Number), execution_time_ms: expect.any(Number), error: null },
    });
    const { body: one } = await tenant.asAdmin.call('query.get', { path: { id: body.queries[1]?.id ?? '' } });
    expect(one).toMatchObject({ status: 'failed', error: { code: 'sql.failed', errors: [{ line: 1, column: 11 }] } });
    // A member sees their own only.
    await expect(tenant.asMember.call('query.list')).resolves.toMatchObject({ body: { queries: [] } });
  });
});
