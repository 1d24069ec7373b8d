import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { QueryRun } from '@millrace/catalog';
import type { JobFence, Principal, QueryRunId } from '@millrace/domain';
import { JobProducer } from '@millrace/queue';
import { createLogger } from '@millrace/telemetry';
import { admitJob, eventually } from '@millrace/testing';
import { type Answer, QueryServiceHarness } from '../../test/query-service-harness.js';
import { createTable, makeReady } from '../../test/tables.js';

const ENDLESS = 'SELECT count(*) FROM range(100000000000) a, range(100) b WHERE hash(a.range) = 1';

describe('a query in the background', () => {
  let harness: QueryServiceHarness;
  let producer: JobProducer;

  beforeAll(async () => {
    harness = await QueryServiceHarness.start();
    const logger = createLogger({ level: 'silent', service: 'test' });
    producer = await JobProducer.open({ queueLocation: harness.queueLocation, logger });
  });
  afterAll(async () => {
    await producer.close();
    await harness.stop();
  });

  const newCaller = async (limits = {}): Promise<Principal> => (await harness.createTenant(limits)).admin.principal;

  const submit = async (caller: Principal, body: object, path = '/v1/query'): Promise<Answer> => {
    const init = { method: 'POST', body: JSON.stringify(body), headers: { prefer: 'respond-async' } };
    const response = await harness.ask(caller, path, init);
    const text = await response.text();
    const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: response.status, headers: response.headers, body: json, text };
  };

  const runOf = ({ tenantId }: Principal, answer: Answer): Promise<QueryRun> =>
    harness.catalog.queryRuns.get(tenantId, answer.body['query_run_id'] as QueryRunId);

  const hasStatus = (caller: Principal, answer: Answer, status: QueryRun['status']): Promise<QueryRun> =>
    eventually(`the query is ${status}`, async () => {
      const run = await runOf(caller, answer);
      return run.status === status && run;
    });

  /** What the dispatcher does. */
  const dispatch = async (caller: Principal, answer: Answer): Promise<JobFence> => {
    const { tenantId, jobId } = await runOf(caller, answer);
    if (jobId === null) throw new Error('a query in the background has a job');
    const fence = await admitJob(harness.catalog, { tenantId, jobId });
    await producer.send([{ ...fence, kind: 'query.run' }]);
    return fence;
  };

  it('is answered before it runs, and its rows are found later', async () => {
    const caller = await newCaller();
    const { tableName } = await createTable(harness, caller, { sql: 'SELECT i AS a FROM range(5) t(i)' });
    const sql = `SELECT sum(a) + $1 AS total FROM datasets.${tableName}`;
    const answer = await submit(caller, { sql, params: [32] });
    expect(answer.status).toBe(202);
    const id = String(answer.body['query_run_id']);
    expect(answer.body).toMatchObject({ status: 'queued', started_at: null });
    expect(answer.headers.get('location')).toBe(`/v1/queries/${id}`);
    expect(answer.headers.get('preference-applied')).toBe('respond-async');
    await dispatch(caller, answer);
    const run = await hasStatus(caller, answer, 'succeeded');
    expect(run).toMatchObject({ rowCount: 1, timeoutMs: 30 * 60_000, inputs: [{ datasetId: expect.any(String) }] });
    expect(await harness.catalog.jobs.get(caller.tenantId, run.jobId as never)).toMatchObject({ status: 'succeeded' });
    await makeReady(harness, caller, run.resultId);
    const page = await harness.get(caller, `/v1/results/${String(run.resultId)}`);
    expect(page.body).toMatchObject({ columns: ['total'], types: ['HUGEINT'], rows: [[42]] });
    expect(await harness.rows(caller, `SELECT total FROM results.${String(run.resultId)}`)).toEqual([[42]]);
    await harness.noOutputsLeft('background');
  });

  it('takes no place of those that are waited for, and none is too many', async () => {
    const caller = await newCaller({ queryConcurrencyMax: 1, backgroundQueriesMax: 1 });
    const answer = await submit(caller, { sql: ENDLESS });
    await dispatch(caller, answer);
    await hasStatus(caller, answer, 'running');
    expect(await harness.rows(caller, 'SELECT 1')).toEqual([[1]]);
    expect(await submit(caller, { sql: 'SELECT 1' })).toMatchObject({ status: 429, body: { code: 'query.too_many' } });
    const { tenantId, id, jobId } = await runOf(caller, answer);
    await harness.catalog.queryRuns.requestCancel(tenantId, id);
    await harness.events.publish({ type: 'job.cancel_requested', tenantId, jobId: jobId as never });
    expect(await hasStatus(caller, answer, 'cancelled')).toMatchObject({ error: { code: 'query.cancelled' } });
    expect((await submit(caller, { sql: 'SELECT 1' })).status).toBe(202);
  });

  it('is cancelled when the message is lost', async () => {
    const caller = await newCaller();
    const answer = await submit(caller, { sql: ENDLESS });
    await dispatch(caller, answer);
    const { tenantId, id } = await hasStatus(caller, answer, 'running');
    await harness.catalog.queryRuns.requestCancel(tenantId, id);
    expect(await hasStatus(caller, answer, 'cancelled')).toMatchObject({ id, resultId: null });
  });

  it.each(['queued', 'admitted'] as const)('is cancelled at once while it is %s, and never runs', async (state) => {
    const caller = await newCaller();
    const answer = await submit(caller, { sql: 'SELECT 1' });
    const { tenantId, id, jobId } = await runOf(caller, answer);
    const job = { tenantId, jobId: jobId as NonNullable<typeof jobId> };
    const fence = state === 'admitted' ? await admitJob(harness.catalog, job) : undefined;
    expect(await harness.catalog.queryRuns.requestCancel(tenantId, id)).toMatchObject({ status: 'cancelled' });
    if (fence) await producer.send([{ ...fence, kind: 'query.run' }]);
    expect(await harness.catalog.queryRuns.requestCancel(tenantId, id)).toMatchObject({ status: 'cancelled' });
    expect(await harness.catalog.jobs.get(tenantId, job.jobId)).toMatchObject({ status: 'cancelled', startedAt: null });
  });

  it('is cancelled while its rows are being stored, and leaves nothing', async () => {
    const caller = await newCaller();
    const answer = await submit(caller, { sql: 'SELECT 1 AS a' });
    const held = harness.store.hold('putFile');
    await dispatch(caller, answer);
    await held.arrived;
    const { tenantId, id, jobId } = await runOf(caller, answer);
    await harness.catalog.queryRuns.requestCancel(tenantId, id);
    await harness.events.publish({ type: 'job.cancel_requested', tenantId, jobId: jobId as never });
    expect(await hasStatus(caller, answer, 'cancelled')).toMatchObject({ resultId: null });
    held.release();
    await harness.noOutputsLeft('background');
    expect((await harness.catalog.results.list(tenantId, { limit: 1 })).items).toEqual([]);
  });

  it('fails at its deadline, and is not tried again', async () => {
    const caller = await newCaller();
    const answer = await submit(caller, { sql: ENDLESS, timeout_ms: 400 });
    await dispatch(caller, answer);
    const run = await hasStatus(caller, answer, 'failed');
    expect(run).toMatchObject({ timeoutMs: 400, error: { code: 'query.deadline' } });
  });

  it('waits again when the store does not answer, and succeeds at the next attempt', async () => {
    const caller = await newCaller();
    const { tableName } = await createTable(harness, caller, { sql: 'SELECT 1 AS a' });
    harness.store.fail('link', { times: 1 });
    const answer = await submit(caller, { sql: `SELECT * FROM datasets.${tableName}` });
    const first = await dispatch(caller, answer);
    await eventually('the first attempt has failed', async () => {
      const { status, failures } = await harness.catalog.jobs.get(caller.tenantId, first.jobId);
      return status === 'queued' && failures === 1;
    });
    expect(await runOf(caller, answer)).toMatchObject({ status: 'queued', startedAt: null });
    const { tenantId, jobId } = first;
    await harness.catalog.transaction((tx) =>
      tx.query('UPDATE jobs SET run_after = now() WHERE tenant_id = $1 AND id = $2', [tenantId, jobId]),
    );
    expect(await dispatch(caller, answer)).toMatchObject({ attempt: 2 });
    await hasStatus(caller, answer, 'succeeded');
  });

  it('is failed when its service is lost for the last time', async () => {
    const caller = await newCaller();
    const answer = await submit(caller, { sql: 'SELECT 1' });
    const { tenantId, jobId } = await runOf(caller, answer);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const fence = await admitJob(harness.catalog, { tenantId, jobId: jobId as never });
      await harness.catalog.jobs.start(fence, { leaseMs: -1_000 });
      await harness.catalog.backgroundRuns.start(fence, { inputs: [] });
      await harness.catalog.jobs.sweepRunning();
      expect(await runOf(caller, answer)).toMatchObject({ status: attempt === 3 ? 'failed' : 'queued' });
      await harness.catalog.transaction((tx) =>
        tx.query('UPDATE jobs SET run_after = now() WHERE tenant_id = $1', [tenantId]),
      );
    }
    expect(await runOf(caller, answer)).toMatchObject({ error: { code: 'query.lost' } });
  });

  it('is not taken when it is wrong, and shows as a failure', async () => {
    const caller = await newCaller();
    expect(await submit(caller, { sql: 'SELEC 1' })).toMatchObject({ status: 422, body: { code: 'sql.syntax' } });
    const { items } = await harness.catalog.queryRuns.list(caller.tenantId, { limit: 10 });
    expect(items).toMatchObject([{ sql: 'SELEC 1', status: 'failed', jobId: null }]);
    expect(await submit(caller, { sql: "SELECT '\ud800'" })).toMatchObject({ status: 400 });
  });

  it('is one only where there are rows to keep', async () => {
    const caller = await newCaller();
    const plan = await submit(caller, { sql: 'EXPLAIN SELECT 1' });
    expect(plan).toMatchObject({ status: 200, body: { result_id: null } });
    expect(plan.headers.get('preference-applied')).toBeNull();
    const csv = await submit(caller, { sql: 'SELECT 1 AS a' }, '/v1/query?format=csv');
    expect(csv).toMatchObject({ status: 200, text: 'a\n1\n' });
  });

  it('reads what its owner may read, and no more', async () => {
    const tenant = await harness.createTenant();
    const { body } = await harness.query(tenant.admin.principal, 'SELECT 1 AS a');
    await makeReady(harness, tenant.admin.principal, body['result_id']);
    const sql = `SELECT * FROM results.${String(body['result_id'])}`;
    const endOf = async (role: 'admin' | 'member'): Promise<QueryRun> => {
      const caller = tenant[role].principal;
      const answer = await submit(caller, { sql });
      await dispatch(caller, answer);
      return eventually('the query has ended', async () => {
        const run = await runOf(caller, answer);
        return run.endedAt !== null && run;
      });
    };
    expect(await endOf('member')).toMatchObject({ status: 'failed', error: { code: 'table.unknown' } });
    expect(await endOf('admin')).toMatchObject({ status: 'succeeded' });
  });
});

describe('the end of a service with queries in the background', () => {
  it('hands them back, and leaves nothing behind', async () => {
    const harness = await QueryServiceHarness.start({ DRAIN_MS: '300' });
    const logger = createLogger({ level: 'silent', service: 'test' });
    const producer = await JobProducer.open({ queueLocation: harness.queueLocation, logger });
    try {
      const { admin } = await harness.createTenant();
      const { tenantId } = admin.principal;
      const init = { method: 'POST', body: JSON.stringify({ sql: ENDLESS }), headers: { prefer: 'respond-async' } };
      const response = await harness.ask(admin.principal, '/v1/query', init);
      const { query_run_id: id } = (await response.json()) as { query_run_id: QueryRunId };
      const { jobId } = await harness.catalog.queryRuns.get(tenantId, id);
      const fence = await admitJob(harness.catalog, { tenantId, jobId: jobId as never });
      await producer.send([{ ...fence, kind: 'query.run' }]);
      await eventually('it runs', async () => (await harness.catalog.queryRuns.get(tenantId, id)).status === 'running');
      await harness.closeService();
      expect(await harness.catalog.queryRuns.get(tenantId, id)).toMatchObject({ status: 'queued' });
      const job = await harness.catalog.jobs.get(tenantId, fence.jobId);
      expect(job).toMatchObject({ status: 'queued', failures: 1, error: { code: 'job.lost' } });
    } finally {
      await producer.close();
      await harness.stop();
    }
  });
});
