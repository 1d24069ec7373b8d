import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PendingError } from '@millrace/contract';
import { eventually } from '@millrace/testing';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';

describe('saved queries', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;

  beforeAll(async () => {
    millrace = await startMillrace();
    tenant = await millrace.newTenant();
    const { asAdmin } = tenant;
    const parameters = [{ name: 'day', type: 'DATE' }];
    const body = { name: 'days', sql: 'SELECT $day AS d, typeof($day) AS t FROM datasets.one', parameters };
    await asAdmin.call('saved_query.create', { body });
    const source = { inline: { format: 'csv', content: 'a\n1\n' } } as const;
    await asAdmin.call('dataset.create', { body: { label: 'one', source } });
  });
  afterAll(() => millrace.stop());

  const run = (params: Record<string, string>, headers: Record<string, string> = {}) =>
    tenant.asAdmin.call('saved_query.run', { path: { id: 'days' }, body: { params }, headers });

  it('are run through the gateway, changed, listed and deleted', async () => {
    const { asAdmin } = tenant;
    expect((await run({ day: '2020-02-29' })).body).toMatchObject({ rows: [['2020-02-29', 'DATE']], reused: false });
    const body = { name: 'other', sql: 'SELECT 1 AS a' };
    const path = { id: String((await asAdmin.call('saved_query.create', { body })).body.id) };
    await asAdmin.call('saved_query.update', { path, body: { sql: 'SELECT 2 AS a' } });
    expect((await asAdmin.call('saved_query.get', { path })).body).toMatchObject({ name: 'other', version: 2 });
    expect((await asAdmin.call('saved_query.versions', { path })).body.versions).toHaveLength(2);
    expect((await asAdmin.call('saved_query.list', { query: { name: 'o' } })).body.saved_queries).toHaveLength(1);
    await asAdmin.call('saved_query.delete', { path });
    await expect(problemOf(asAdmin.call('saved_query.get', { path }))).resolves.toMatchObject({ status: 404 });
  });

  it('are answered from an earlier result when the question is the same', async () => {
    const first = (await run({ day: '2021-01-01' })).body;
    await eventually('its result is ready', async () => {
      const { body } = await tenant.asAdmin.call('result.get', { path: { id: String(first.result_id) } });
      return body.status === 'ready';
    });
    expect((await run({ day: '2021-01-01' })).body).toMatchObject({ rows: first.rows, reused: true });
    const sql = 'SELECT $day AS d, typeof($day) AS t FROM datasets.one';
    const untyped = await tenant.asAdmin.call('query.run', { body: { sql, params: { day: '2021-01-01' } } });
    expect(untyped.body).toMatchObject({ rows: [['2021-01-01', 'VARCHAR']], reused: false });
  });

  it('run in the background with the types of their parameters', async () => {
    const { asAdmin } = tenant;
    const error = await run({ day: '2022-01-01' }, { prefer: 'respond-async' }).catch((caught: unknown) => caught);
    if (!(error instanceof PendingError)) throw error;
    const { query_run_id: id } = error.pending as { query_run_id: string };
    const ended = await eventually('it has ended', async () => {
      const { body } = await asAdmin.call('query.get', { path: { id }, headers: { prefer: 'wait=5' } });
      return body.finished_at !== null && body;
    });
    expect(ended).toMatchObject({ status: 'succeeded' });
    const page = await eventually('its rows are stored', async () => {
      const { body } = await asAdmin.call('result.get', { path: { id: String(ended.result_id) } });
      return body.status === 'ready' && body;
    });
    expect(page).toMatchObject({ types: ['DATE', 'VARCHAR'], rows: [['2022-01-01', 'DATE']] });
  });
});
