import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Result } from '@millrace/catalog';
import { resultPageSchema } from '@millrace/contract';
import { newId, type DomainEvent, type Principal, type ResultId } from '@millrace/domain';
import { eventually } from '@millrace/testing';
import { type Answer, forLongerThanALease, QueryServiceHarness } from '../../test/query-service-harness.js';
import { makeReady } from '../../test/tables.js';

describe('results', () => {
  let harness: QueryServiceHarness;
  let caller: Principal;
  let member: Principal;

  beforeAll(async () => {
    harness = await QueryServiceHarness.start();
    const tenant = await harness.createTenant();
    caller = tenant.admin.principal;
    member = tenant.member.principal;
  });
  afterAll(() => harness.stop());

  const run = async (sql: string, by = caller): Promise<ResultId> => {
    const answer = await harness.query(by, { sql, limit_rows: 3 });
    expect(answer).toMatchObject({ status: 200 });
    return answer.body['result_id'] as ResultId;
  };
  const page = (id: string, query = '', by = caller): Promise<Answer> => harness.get(by, `/v1/results/${id}${query}`);
  const stored = (id: ResultId, isWanted: (result: Result) => boolean): Promise<Result> =>
    eventually(`result ${id} is as wanted`, async () => {
      const result = await harness.catalog.results.get(caller.tenantId, id);
      return isWanted(result) && result;
    });

  it('are stored after the answer, and handed to a job', async () => {
    const id = await run('SELECT range AS n FROM range(10)');
    const result = await stored(id, ({ storageKey }) => storageKey !== null);
    expect(result).toMatchObject({
      status: 'processing',
      rowCount: 10,
      contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      columns: [{ name: 'n', type: 'BIGINT', nullable: true }],
    });
    const { tenantId } = caller;
    const job = await harness.catalog.jobs.get(tenantId, result.jobId ?? newId('job'));
    expect(job).toMatchObject({ kind: 'result.persist', status: 'queued', payload: { resultId: id } });
    expect(await harness.store.find(result.storageKey ?? '')).toMatchObject({ sizeBytes: result.sizeBytes });
    await harness.noOutputsLeft();
  });

  it('are not read again for who has the page', async () => {
    const id = await run('SELECT range AS n FROM range(5)');
    expect((await page(id)).headers.get('etag')).toBeNull();
    await makeReady(harness, caller, id);
    const { headers } = await page(id, '?limit=3');
    const tag = headers.get('etag') ?? '';
    expect(tag).toMatch(/^"[0-9a-f]{64}"$/);
    expect(headers.get('cache-control')).toBe('private, no-cache');
    const ask = (query: string, ifNoneMatch = tag, by = caller): Promise<Response> =>
      harness.ask(by, `/v1/results/${id}${query}`, { headers: { 'if-none-match': ifNoneMatch } });
    for (const named of [tag, `W/${tag}`, `"a", ${tag}`, '*']) {
      const answer = await ask('?limit=3', named);
      expect([answer.status, await answer.text(), answer.headers.get('etag')]).toEqual([304, '', tag]);
    }
    for (const other of ['?limit=2', '?limit=3&format=objects', '?limit=3&cursor=Mw', '']) {
      expect((await ask(other)).status).toBe(200);
    }
    expect((await ask('?limit=3', tag, member)).status).toBe(404);
    await harness.catalog.resultLifetimes.pin({ tenantId: caller.tenantId, id });
    expect((await ask('?limit=3')).status).toBe(200);
  });

  it('are read page by page', async () => {
    const id = await run("SELECT range AS n, 's' || range AS s FROM range(5)");
    const { body: processing } = await page(id);
    expect(resultPageSchema.parse(processing)).toMatchObject({ status: 'processing', total_row_count: 5 });
    expect(processing).not.toHaveProperty('rows');
    await makeReady(harness, caller, id);
    const first = await page(id, '?limit=3');
    expect(resultPageSchema.parse(first.body)).toMatchObject({
      result_id: id,
      status: 'ready',
      columns: ['n', 's'],
      types: ['BIGINT', 'VARCHAR'],
      nullable: [true, true],
      row_count: 3,
      total_row_count: 5,
      has_more: true,
      size_bytes: expect.any(Number),
      rows: [
        [0, 's0'],
        [1, 's1'],
        [2, 's2'],
      ],
    });
    const cursor = String(first.body['next_cursor']);
    expect(first.headers.get('link')).toBe(`</v1/results/${id}?limit=3&cursor=${cursor}>; rel="next"`);
    const second = await page(id, `?limit=3&cursor=${cursor}`);
    expect(second.body).toMatchObject({ row_count: 2, has_more: false, next_cursor: null });
    expect(second.body['rows']).toEqual([
      [3, 's3'],
      [4, 's4'],
    ]);
    expect(second.headers.get('link')).toBeNull();
    expect((await page(id, '?cursor=abc')).body).toMatchObject({ status: 400, code: 'cursor.invalid' });
    expect((await page(id, '?limit=1001')).body).toMatchObject({ status: 400, code: 'request.invalid' });
  });

  it('are paged to their end also when rows are longer than a page', async () => {
    const { admin } = await harness.createTenant({ inlineAnswerBytesMax: 1_000 });
    const id = await run("SELECT repeat('x', 600 * range::INTEGER) AS x FROM range(4)", admin.principal);
    await makeReady(harness, admin.principal, id);
    const lengths: number[] = [];
    for (let query = '?limit=100'; query !== '';) {
      const { body } = await page(id, query, admin.principal);
      lengths.push(...(body['rows'] as [string][]).map(([x]) => x.length));
      query = body['has_more'] === true ? `?limit=100&cursor=${String(body['next_cursor'])}` : '';
    }
    expect(lengths).toEqual([0, 600, 1_200, 1_800]);
  });

  it('have no rows, but may be read', async () => {
    const id = await run('SELECT 1 AS a WHERE false');
    await makeReady(harness, caller, id);
    expect((await page(id)).body).toMatchObject({ status: 'ready', rows: [], row_count: 0, has_more: false });
  });

  it('are there for who ran the query and for admins only', async () => {
    const [mine, theirs] = [await run('SELECT 1', member), await run('SELECT 2', caller)];
    await makeReady(harness, member, mine);
    expect((await page(mine, '', member)).body).toMatchObject({ status: 'ready', rows: [[1]] });
    expect((await page(mine, '', caller)).body).toMatchObject({ status: 'ready', rows: [[1]] });
    expect((await page(theirs, '', member)).body).toMatchObject({ status: 404, code: 'result.not_found' });
    const other = await harness.createTenant();
    expect((await page(mine, '', other.admin.principal)).body).toMatchObject({ code: 'result.not_found' });
    expect((await page(newId('result'))).body).toMatchObject({ status: 404, code: 'result.not_found' });
    expect((await page('nonsense')).body).toMatchObject({ status: 404, code: 'result.not_found' });
  });

  it('stay in processing while the store is slow, without losing their lease', async () => {
    const held = harness.store.hold('putFile');
    const id = await run('SELECT 1 AS slow');
    await held.arrived;
    await forLongerThanALease(async () => {
      expect(await harness.catalog.results.sweepLost()).toEqual([]);
      expect((await page(id)).body).toMatchObject({ status: 'processing' });
    });
    held.release();
    await stored(id, ({ storageKey }) => storageKey !== null);
  });

  it('survive a store that fails for a moment', async () => {
    harness.store.fail('putFile', { times: 2 });
    const id = await run('SELECT 1 AS shaky');
    await stored(id, ({ storageKey }) => storageKey !== null);
    await makeReady(harness, caller, id);
    expect((await page(id)).body).toMatchObject({ status: 'ready', rows: [[1]] });
  });

  it('fail with the reason when the store keeps failing; the rows were delivered', async () => {
    const events: DomainEvent[] = [];
    const unsubscribe = await harness.events.subscribe('result.settled', (event) => void events.push(event));
    harness.store.fail('putFile');
    const answer = await harness.query(caller, 'SELECT 1 AS doomed');
    expect(answer).toMatchObject({ status: 200, body: { rows: [[1]] } });
    const id = answer.body['result_id'] as ResultId;
    await stored(id, ({ status }) => status === 'failed');
    harness.store.heal();
    const { status, body } = await page(id);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'failed', error: { code: 'storage.unavailable' } });
    expect(body).not.toHaveProperty('rows');
    await eventually('it is told', () => events.some((event) => 'resultId' in event && event.resultId === id));
    unsubscribe();
    const queryRun = await harness.catalog.queryRuns.get(caller.tenantId, answer.body['query_run_id'] as never);
    expect(queryRun).toMatchObject({ status: 'succeeded', rowCount: 1 });
    await harness.noOutputsLeft();
  }, 40_000);

  it('that nobody will make ready any more are not stored', async () => {
    const held = harness.store.hold('putFile');
    const id = await run('SELECT 1 AS lost');
    await held.arrived;
    await harness.catalog.results.fail({ tenantId: caller.tenantId, id }, { code: 'result.lost', detail: 'Lost.' });
    await harness.noOutputsLeft();
    held.release();
    expect((await page(id)).body).toMatchObject({ status: 'failed', error: { code: 'result.lost' } });
  });

  it('fail when their file has vanished, also one that was read before', async () => {
    const id = await run('SELECT 1 AS vanished');
    const { storageKey } = await makeReady(harness, caller, id);
    expect((await page(id)).body).toMatchObject({ status: 'ready' });
    await harness.store.delete(storageKey ?? '');
    const { status, body } = await page(id);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'failed', error: { code: 'result.file_missing' } });
    expect(body).not.toHaveProperty('rows');
  });

  it('fail when a statement finds that their file has vanished', async () => {
    const id = await run('SELECT 1 AS gone');
    const { storageKey } = await makeReady(harness, caller, id);
    await harness.store.delete(storageKey ?? '');
    const { body } = await harness.query(caller, `SELECT *\n  FROM results.${id}`);
    expect(body).toMatchObject({ status: 422, code: 'result.not_ready', errors: [{ line: 2, column: 8 }] });
    expect((await page(id)).body).toMatchObject({ status: 'failed', error: { code: 'result.file_missing' } });
  });

  it('pass on that the store does not answer', async () => {
    const id = await run('SELECT 1 AS unreachable');
    await makeReady(harness, caller, id);
    harness.store.fail('link', { times: 1 });
    expect((await page(id)).body).toMatchObject({ status: 503, code: 'storage.unavailable' });
    expect((await page(id)).body).toMatchObject({ status: 'ready', rows: [[1]] });
  });
});
