import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { QueryRun } from '@millrace/catalog';
import type { Principal, QueryRunId } from '@millrace/domain';
import { eventually } from '@millrace/testing';
import { type Answer, QueryServiceHarness } from '../../test/query-service-harness.js';
import { makeReady } from '../../test/tables.js';

const ENDLESS = 'SELECT count(*) FROM range(100000000000) a, range(100) b WHERE hash(a.range) = 1';
const SLOW = 'SELECT count(*) AS n FROM range(60000000) WHERE hash(range) % 7 <> 8';

describe('waiting for a query', () => {
  let harness: QueryServiceHarness;

  beforeAll(async () => {
    harness = await QueryServiceHarness.start();
  });
  afterAll(() => harness.stop());

  const newCaller = async (limits = {}): Promise<Principal> => (await harness.createTenant(limits)).admin.principal;

  const ask = async (caller: Principal, prefer: string, body: object, path = '/v1/query'): Promise<Answer> => {
    const init = { method: 'POST', body: JSON.stringify(body), headers: { prefer } };
    const response = await harness.ask(caller, path, init);
    const text = await response.text();
    const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: response.status, headers: response.headers, body: json, text };
  };

  const runOf = (caller: Principal, answer: Answer): Promise<QueryRun> =>
    harness.catalog.queryRuns.get(caller.tenantId, answer.body['query_run_id'] as QueryRunId);

  const ended = (caller: Principal, answer: Answer): Promise<QueryRun> =>
    eventually('the query has ended', async () => {
      const run = await runOf(caller, answer);
      return run.endedAt !== null && run;
    });

  const cancel = async ({ tenantId, id }: QueryRun): Promise<void> => {
    await harness.catalog.queryRuns.requestCancel(tenantId, id);
    await harness.events.publish({ type: 'query.cancel_requested', tenantId, queryRunId: id });
  };

  it('ends with 202 when it takes longer, and the statement goes on to its result', async () => {
    const caller = await newCaller();
    const answer = await ask(caller, 'wait=0', { sql: SLOW });
    expect(answer.status).toBe(202);
    const id = answer.body['query_run_id'];
    expect(answer.headers.get('location')).toBe(`/v1/queries/${String(id)}`);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.headers.get('preference-applied')).toBe('wait=0');
    expect(answer.body).toEqual({
      query_run_id: id,
      status: expect.stringMatching(/^(queued|running)$/),
      queued_at: expect.any(String),
      started_at: answer.body['status'] === 'queued' ? null : expect.any(String),
    });
    const run = await ended(caller, answer);
    expect(run).toMatchObject({ status: 'succeeded', rowCount: 1, resultId: expect.any(String) });
    await makeReady(harness, caller, run.resultId);
    const page = await harness.get(caller, `/v1/results/${String(run.resultId)}`);
    expect(page.body).toMatchObject({ columns: ['n'], rows: [[60_000_000]] });
  });

  it('ends with the rows when they come in time', async () => {
    const answer = await ask(await newCaller(), 'wait=30', { sql: 'SELECT 1 AS a' });
    expect(answer).toMatchObject({ status: 200, body: { rows: [[1]] } });
    expect(answer.headers.get('preference-applied')).toBe('wait=30');
  });

  it('changes no deadline', async () => {
    const caller = await newCaller();
    const answer = await ask(caller, 'wait=0', { sql: ENDLESS, timeout_ms: 5_000 });
    expect(answer.status).toBe(202);
    expect(await ended(caller, answer)).toMatchObject({ status: 'failed', error: { code: 'query.deadline' } });
    const waited = await ask(caller, 'wait=60', { sql: ENDLESS, timeout_ms: 500 });
    expect(waited).toMatchObject({ status: 504, body: { code: 'query.deadline' } });
  });

  it('does not keep a mistake from its caller', async () => {
    const answer = await ask(await newCaller(), 'wait=0', { sql: 'SELEC 1' });
    expect(answer).toMatchObject({ status: 422, body: { code: 'sql.syntax' } });
    expect(answer.headers.get('preference-applied')).toBeNull();
  });

  it('goes on after 202 until somebody cancels the query', async () => {
    const caller = await newCaller();
    const answer = await ask(caller, 'wait=0', { sql: ENDLESS });
    const running = await eventually('it runs', async () => {
      const run = await runOf(caller, answer);
      return run.status === 'running' && run;
    });
    await cancel(running);
    expect(await ended(caller, answer)).toMatchObject({ status: 'cancelled' });
  });

  it('holds the place of a query that goes on', async () => {
    const caller = await newCaller({ queryConcurrencyMax: 1 });
    const answer = await ask(caller, 'wait=0', { sql: ENDLESS });
    expect(answer.status).toBe(202);
    expect((await harness.query(caller, 'SELECT 1')).body).toMatchObject({ code: 'query.too_many' });
    await cancel(await runOf(caller, answer));
    await ended(caller, answer);
    await eventually('there is a place', async () => (await harness.query(caller, 'SELECT 1')).status === 200);
  });

  it.each(['EXPLAIN SELECT 1', 'SHOW TABLES', 'SUMMARIZE SELECT 1 AS a'])(
    'lasts until there is an answer that is kept nowhere: %s',
    async (sql) => {
      const answer = await ask(await newCaller(), 'wait=0', { sql });
      expect(answer).toMatchObject({ status: 200, body: { result_id: null } });
    },
  );

  it('lasts until there is a table', async () => {
    const answer = await ask(await newCaller(), 'wait=0', { sql: SLOW }, '/v1/query?format=csv');
    expect(answer).toMatchObject({ status: 200, text: 'n\n60000000\n' });
    expect(answer.headers.get('preference-applied')).toBeNull();
  });
});
