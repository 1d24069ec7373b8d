import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PendingError, type MillraceClient, type QueryRunBody } from '@millrace/contract';
import { eventually } from '@millrace/testing';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';

const ENDLESS = 'SELECT count(*) FROM range(100000000000) a, range(100) b WHERE hash(a.range) = 1';

describe('a statement in the background', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;

  beforeAll(async () => {
    millrace = await startMillrace();
  });
  beforeEach(async () => {
    tenant = await millrace.newTenant();
  });
  afterAll(() => millrace.stop());

  /** Sends a statement, and gives the id of its run. */
  const submit = async (client: MillraceClient, sql: string, timeoutMs?: number): Promise<string> => {
    const body = { sql, ...(timeoutMs !== undefined && { timeout_ms: timeoutMs }) };
    const error = await client
      .call('query.run', { body, headers: { prefer: 'respond-async' } })
      .catch((caught: unknown) => caught);
    if (!(error instanceof PendingError)) throw error;
    return (error.pending as { query_run_id: string }).query_run_id;
  };

  const look = async (client: MillraceClient, id: string): Promise<QueryRunBody> =>
    (await client.call('query.get', { path: { id }, headers: { prefer: 'wait=5' } })).body;

  const isIn = (client: MillraceClient, id: string, status: QueryRunBody['status']): Promise<QueryRunBody> =>
    eventually(`the query is ${status}`, async () => {
      const run = await look(client, id);
      return run.status === status && run;
    });

  it('is followed to its end, and its rows are pages, a table and a download', async () => {
    const { asAdmin } = tenant;
    const id = await submit(asAdmin, 'SELECT i AS n, i * i AS square FROM range(1000) t(i) ORDER BY i');
    const events = String((await asAdmin.call('query.events', { path: { id } })).body);
    expect(events).toMatch(/^retry: \d+\n\n/);
    expect(events.match(/^event: \w+$/gm)?.at(-1)).toBe('event: end');
    const run = JSON.parse(
      /^data: (.*)\n\n$/m.exec(events.slice(events.lastIndexOf('data: ')))?.[1] ?? '',
    ) as QueryRunBody;
    expect(run).toMatchObject({ id, status: 'succeeded', progress: 1, row_count: 1000, timeout_ms: 1_800_000 });
    const resultId = run.result_id ?? '';
    await eventually('the result is ready', async () => {
      const { body } = await asAdmin.call('result.get', { path: { id: resultId }, query: { limit: 2 } });
      return body.status === 'ready';
    });
    const page = await asAdmin.call('result.get', { path: { id: resultId }, query: { limit: 2 } });
    expect(page.body).toMatchObject({
      total_row_count: 1000,
      rows: [
        [0, 0],
        [1, 1],
      ],
    });
    const sum = await asAdmin.call('query.run', { body: { sql: `SELECT sum(n) FROM results.${resultId}` } });
    expect(sum.body.rows).toEqual([[499_500]]);
    const csv = await asAdmin.open('result.download', { path: { id: resultId }, query: { format: 'csv' } });
    expect((await csv.text()).split('\n').slice(0, 3)).toEqual(['n,square', '0,0', '1,1']);
    const { body: jobs } = await asAdmin.call('job.list', { query: { kind: 'query.run' } });
    expect(jobs.jobs).toMatchObject([{ id: run.job_id, query_run_id: id, status: 'succeeded', attempts: 1 }]);
  });

  it('ends when somebody cancels it, or its job, and the next one has its turn', async () => {
    const { asAdmin, asMember } = tenant;
    const first = await submit(asAdmin, ENDLESS);
    await isIn(asAdmin, first, 'running');
    expect(await problemOf(asMember.call('query.cancel', { path: { id: first } }))).toMatchObject({ status: 404 });
    await asAdmin.call('query.cancel', { path: { id: first } });
    expect(await isIn(asAdmin, first, 'cancelled')).toMatchObject({
      error: { code: 'query.cancelled' },
      result_id: null,
    });
    const second = await submit(asAdmin, ENDLESS);
    const { job_id: jobId } = await isIn(asAdmin, second, 'running');
    await asAdmin.call('job.cancel', { path: { id: jobId ?? '' } });
    await isIn(asAdmin, second, 'cancelled');
    await isIn(asAdmin, await submit(asAdmin, 'SELECT 1'), 'succeeded');
  });

  it('does not keep those waiting who wait for rows, nor another tenant', async () => {
    const { asAdmin } = tenant;
    const first = await submit(asAdmin, ENDLESS, 600_000);
    const more = await Promise.all(Array.from({ length: 4 }, () => submit(asAdmin, ENDLESS, 600_000)));
    const last = await submit(asAdmin, ENDLESS, 600_000);
    const ids = [first, ...more, last];
    await isIn(asAdmin, first, 'running');
    expect(await look(asAdmin, last)).toMatchObject({ status: 'queued', blocked_by: expect.any(String) });
    expect((await asAdmin.call('query.run', { body: { sql: 'SELECT 1' } })).body.rows).toEqual([[1]]);
    const other = await millrace.newTenant();
    const theirs = await submit(other.asAdmin, 'SELECT 1');
    for (const id of ids) await asAdmin.call('query.cancel', { path: { id } });
    await isIn(other.asAdmin, theirs, 'succeeded');
    for (const id of ids) await isIn(asAdmin, id, 'cancelled');
  });
});
