import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { QueryRun } from '@millrace/catalog';
import type { Principal, QueryRunId } from '@millrace/domain';
import { eventually } from '@millrace/testing';
import { forLongerThanALease, QueryServiceHarness } from '../../test/query-service-harness.js';
import { createTable } from '../../test/tables.js';

const ENDLESS = 'SELECT count(*) FROM range(100000000000) a, range(100) b WHERE hash(a.range) = 1';

/** The newest run of a tenant, once it is in a status. */
function newestRun(harness: QueryServiceHarness, caller: Principal, status: QueryRun['status']): Promise<QueryRun> {
  return eventually(`the newest run is ${status}`, async () => {
    const [run] = (await harness.catalog.queryRuns.list(caller.tenantId, { limit: 1 })).items;
    return run?.status === status && run;
  });
}

describe('the end of a query', () => {
  let harness: QueryServiceHarness;

  beforeAll(async () => {
    harness = await QueryServiceHarness.start();
  });
  afterAll(() => harness.stop());

  const newCaller = async (limits = {}): Promise<Principal> => (await harness.createTenant(limits)).admin.principal;

  it('comes at its deadline, which the caller may set', async () => {
    const caller = await newCaller();
    const { body } = await harness.query(caller, { sql: ENDLESS, timeout_ms: 400 });
    expect(body).toMatchObject({ status: 504, code: 'query.deadline', detail: expect.stringContaining('400 ms') });
    const run = await newestRun(harness, caller, 'failed');
    expect(run).toMatchObject({ timeoutMs: 400, error: { code: 'query.deadline' } });
  });

  it('comes at the deadline of the tenant, also while the store hangs', async () => {
    const caller = await newCaller({ queryTimeoutMs: 3_000 });
    const { tableName } = await createTable(harness, caller, { sql: 'SELECT 1 AS a' });
    const held = harness.store.hold('link');
    const answer = harness.query(caller, `SELECT * FROM datasets.${tableName}`);
    await held.arrived;
    expect((await answer).body).toMatchObject({ status: 504, code: 'query.deadline' });
    held.release();
    expect(await harness.rows(caller, `SELECT * FROM datasets.${tableName}`)).toEqual([[1]]);
  });

  it('comes when somebody cancels it and says so', async () => {
    const caller = await newCaller();
    const answer = harness.query(caller, ENDLESS);
    const { id, tenantId } = await newestRun(harness, caller, 'running');
    await harness.catalog.queryRuns.requestCancel(tenantId, id);
    await harness.events.publish({ type: 'query.cancel_requested', tenantId, queryRunId: id });
    expect((await answer).body).toMatchObject({ status: 409, code: 'query.cancelled' });
    expect(await newestRun(harness, caller, 'cancelled')).toMatchObject({ id, resultId: null });
  });

  it('comes when somebody cancels it and the message is lost', async () => {
    const caller = await newCaller();
    const answer = harness.query(caller, ENDLESS);
    const { id, tenantId } = await newestRun(harness, caller, 'running');
    await harness.catalog.queryRuns.requestCancel(tenantId, id);
    expect((await answer).body).toMatchObject({ status: 409, code: 'query.cancelled' });
    await newestRun(harness, caller, 'cancelled');
  });

  it('does not come by the wish of another tenant', async () => {
    const [caller, other] = [await newCaller(), await newCaller()];
    const answer = harness.query(caller, { sql: ENDLESS, timeout_ms: 1_500 });
    const { id } = await newestRun(harness, caller, 'running');
    await harness.events.publish({ type: 'query.cancel_requested', tenantId: other.tenantId, queryRunId: id });
    expect((await answer).body).toMatchObject({ code: 'query.deadline' });
  });

  it('comes when the client goes away', async () => {
    const caller = await newCaller();
    const gone = new AbortController();
    const answer = harness.query(caller, ENDLESS, { signal: gone.signal });
    await newestRun(harness, caller, 'running');
    gone.abort();
    await expect(answer).rejects.toThrow();
    await newestRun(harness, caller, 'cancelled');
  });

  it('comes when its lease was lost', async () => {
    const caller = await newCaller();
    const answer = harness.query(caller, ENDLESS);
    const { id, tenantId } = await newestRun(harness, caller, 'running');
    const error = { code: 'query.lost', detail: 'The service that ran the query went away.' } as const;
    await harness.catalog.queryRuns.fail({ tenantId, id }, error);
    expect((await answer).body).toMatchObject({ status: 503, code: 'query.lost', retryable: true });
    expect(await newestRun(harness, caller, 'failed')).toMatchObject({ error });
  });

  it('comes when its row has ended before it began, and leaves no file', async () => {
    const caller = await newCaller();
    // The start is found to be too late when the statement is done.
    await harness.catalog.transaction(async (transaction) => {
      await transaction.query(`CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_sleep(1); RETURN NULL; END $$`);
      await transaction.query(`CREATE TRIGGER lose BEFORE UPDATE ON query_runs FOR EACH ROW
        WHEN (NEW.status = 'running' AND NEW.sql = 'SELECT 4711') EXECUTE FUNCTION lose()`);
    });
    const { body } = await harness.query(caller, 'SELECT 4711');
    expect(body).toMatchObject({ status: 503, code: 'query.lost' });
    expect(await newestRun(harness, caller, 'failed')).toMatchObject({ error: { code: 'query.lost' } });
    await harness.noOutputsLeft();
  });

  it('does not come while its lease is extended', async () => {
    const caller = await newCaller();
    const answer = harness.query(caller, ENDLESS);
    const { id, tenantId } = await newestRun(harness, caller, 'running');
    await forLongerThanALease(async () => expect(await harness.catalog.queryRuns.sweepLost()).toEqual([]));
    await harness.catalog.queryRuns.requestCancel(tenantId, id);
    expect((await answer).body).toMatchObject({ code: 'query.cancelled' });
  });

  it('frees the place of a query, however it came', async () => {
    const caller = await newCaller({ queryConcurrencyMax: 1 });
    const running = harness.query(caller, { sql: ENDLESS, timeout_ms: 1_000 });
    await newestRun(harness, caller, 'running');
    const refused = await harness.query(caller, 'SELECT 1');
    expect(refused.body).toMatchObject({ status: 429, code: 'query.too_many' });
    expect(refused.headers.get('retry-after')).not.toBeNull();
    await running;
    expect(await harness.rows(caller, 'SELECT 1')).toEqual([[1]]);
  });

  it('counts the queries that run in other services', async () => {
    const caller = await newCaller({ queryConcurrencyMax: 1 });
    const { tenantId, userId } = caller;
    const id = 'qrun01jd3x9k2v7q8m4n5p6r7s8t9w' as QueryRunId;
    await harness.catalog.queryRuns.create({ tenantId, userId, id, sql: '', timeoutMs: 1_000, leaseMs: 60_000 });
    expect((await harness.query(caller, 'SELECT 1')).body).toMatchObject({ code: 'query.too_many' });
    await harness.catalog.queryRuns.cancel({ tenantId, id });
    expect(await harness.rows(caller, 'SELECT 1')).toEqual([[1]]);
  });

  it('is a failure when the engine process is beyond its memory, and the next query works', async () => {
    const caller = await newCaller();
    const { body } = await harness.query(caller, "SELECT length(repeat('x', 4000000000))");
    expect(body).toMatchObject({ status: 422, code: 'query.memory' });
    expect(await newestRun(harness, caller, 'failed')).toMatchObject({ error: { code: 'query.memory' } });
    expect(await harness.rows(caller, 'SELECT 1')).toEqual([[1]]);
  });

  it('passes on that the store does not answer', async () => {
    const caller = await newCaller();
    const { tableName } = await createTable(harness, caller, { sql: 'SELECT 1 AS a' });
    harness.store.fail('link', { times: 1 });
    const { body } = await harness.query(caller, `SELECT * FROM datasets.${tableName}`);
    expect(body).toMatchObject({ status: 503, code: 'storage.unavailable', retryable: true });
    expect(await harness.rows(caller, `SELECT * FROM datasets.${tableName}`)).toEqual([[1]]);
  });

  it('tells that a file of a dataset is missing', async () => {
    const caller = await newCaller();
    const { tableName, tenantId } = await createTable(harness, caller, { sql: 'SELECT 1 AS a' });
    const [table] = await harness.catalog.datasets.resolveTables(tenantId, [tableName]);
    await harness.store.delete(table?.head?.files[0]?.storageKey ?? '');
    const { body } = await harness.query(caller, `SELECT * FROM datasets.${tableName}`);
    expect(body).toMatchObject({ status: 500, code: 'storage.object_missing' });
    expect(await newestRun(harness, caller, 'failed')).toMatchObject({ error: { code: 'storage.object_missing' } });
  });

  it('holds files while it runs, and nothing afterwards', async () => {
    const caller = await newCaller();
    const { id, tableName, tenantId } = await createTable(harness, caller, { sql: 'SELECT 1 AS a FROM range(1000)' });
    const [table] = await harness.catalog.datasets.resolveTables(tenantId, [tableName]);
    const storageKey = table?.head?.files[0]?.storageKey ?? '';
    const sql = `SELECT count(*) FROM datasets.${tableName} x, range(100000000000) a WHERE hash(a.range, x.a) = 1`;
    const answer = harness.query(caller, sql);
    const run = await newestRun(harness, caller, 'running');
    await harness.catalog.datasets.delete(tenantId, id);
    await forLongerThanALease(async () => {
      expect(await harness.catalog.blobs.takeDue({ limit: 100 })).not.toContainEqual({ tenantId, storageKey });
    });
    await harness.catalog.queryRuns.requestCancel(tenantId, run.id);
    expect((await answer).body).toMatchObject({ code: 'query.cancelled' });
    expect(await harness.catalog.blobs.takeDue({ limit: 100 })).toContainEqual({ tenantId, storageKey });
    expect(await outputsOf(harness)).toEqual([]);
  });
});

/** Files of results that are still on the local disk. */
async function outputsOf({ folder }: QueryServiceHarness): Promise<string[]> {
  const processes = join(folder, 'engine', 'processes');
  const pools = await readdir(processes);
  const outputs = await Promise.all(pools.map((pool) => readdir(join(processes, pool, 'outputs')).catch(() => [])));
  return outputs.flat();
}

describe('the end of the service', () => {
  it('lets queries end that run, and takes no more', async () => {
    const harness = await QueryServiceHarness.start({ DRAIN_MS: '30000' });
    try {
      const { admin } = await harness.createTenant();
      const slow = `SELECT count(*) FROM range(40000000) WHERE hash(range) % 7 = 1`;
      const answer = harness.query(admin.principal, slow);
      const { id } = await newestRun(harness, admin.principal, 'running');
      const closed = harness.closeService();
      const refused = await harness.query(admin.principal, 'SELECT 1').catch(() => undefined);
      if (refused) expect(refused.body).toMatchObject({ status: 503, code: 'service.unavailable' });
      const { status, body } = await answer;
      expect(status).toBe(200);
      await closed;
      expect(await harness.catalog.queryRuns.get(admin.principal.tenantId, id)).toMatchObject({ status: 'succeeded' });
      const { tenantId } = admin.principal;
      const result = await harness.catalog.results.get(tenantId, body['result_id'] as never);
      expect(result).toMatchObject({ status: 'processing', storageKey: expect.any(String) });
    } finally {
      await harness.stop();
    }
  });

  it('ends what does not end by itself, and leaves nothing behind', async () => {
    const harness = await QueryServiceHarness.start({ DRAIN_MS: '300' });
    try {
      const { admin } = await harness.createTenant();
      const { tenantId } = admin.principal;
      const held = harness.store.hold('putFile');
      const { body } = await harness.query(admin.principal, 'SELECT 1');
      await held.arrived;
      const answer = harness.query(admin.principal, ENDLESS);
      await newestRun(harness, admin.principal, 'running');
      await harness.closeService();
      expect((await answer).body).toMatchObject({ status: 503, code: 'query.lost' });
      expect(await newestRun(harness, admin.principal, 'failed')).toMatchObject({ error: { code: 'query.lost' } });
      const result = await harness.catalog.results.get(tenantId, body['result_id'] as never);
      expect(result).toMatchObject({ status: 'failed', error: { code: 'result.lost' } });
      expect(await readdir(join(harness.folder, 'engine', 'processes'))).toEqual([]);
      expect(await readdir(join(harness.folder, 'engine', 'cache'))).toEqual(['0.lock']);
    } finally {
      await harness.stop();
    }
  });
});
