import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, type HeldCall } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';
import { storedKeys } from './harness/stored-files.js';

describe('a result', () => {
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

  const get = async (id: string) => (await tenant.asAdmin.call('result.get', { path: { id } })).body;
  const settled = (id: string, status: 'ready' | 'failed') =>
    eventually(`result ${id} is ${status}`, async () => {
      const result = await get(id);
      return result.status === status && result;
    });
  const listed = async (status?: 'processing' | 'ready' | 'failed') =>
    (await tenant.asAdmin.call('result.list', { query: { ...(status && { status }) } })).body.results;
  const keysOf = (id: string): Promise<string[]> => storedKeys(millrace.store, `t/${tenant.tenantId}/results/${id}-`);
  /** Does something while no file can be put into the store. */
  async function whileHeld(act: (held: HeldCall) => Promise<void>): Promise<void> {
    const held = millrace.store.hold('putFile');
    try {
      await act(held);
    } finally {
      held.release();
    }
  }

  it('is answered before it is stored, is processing until then, and ready afterwards', async () => {
    let id = '';
    await whileHeld(async (held) => {
      const answer = await analyst.ask('SELECT range AS n, NULL AS nothing FROM range(3)');
      id = answer.result_id;
      expect(answer).toMatchObject({ rows: [[0, null], [1, null], [2, null]], warnings: [] }); // prettier-ignore
      await held.arrived;
      const before = await get(id);
      expect(before).toMatchObject({ result_id: id, query_run_id: answer.query_run_id, status: 'processing' });
      expect(before.rows).toBeUndefined();
      expect(await listed('processing')).toMatchObject([{ result_id: id, status: 'processing' }]);
      expect(await listed('ready')).toEqual([]);
      await expect(analyst.refusedSql(`SELECT 1,\n 2 FROM results.${id}`)).resolves.toMatchObject({
        ...{ status: 422, code: 'result.processing', retryable: true },
        errors: [{ line: 2, column: 9 }],
      });
    });
    const ready = await settled(id, 'ready');
    expect(ready).toMatchObject({
      ...{ columns: ['n', 'nothing'], types: ['BIGINT', 'INTEGER'], rows: [[0, null], [1, null], [2, null]] }, // prettier-ignore
      ...{ row_count: 3, total_row_count: 3, has_more: false, next_cursor: null, size_bytes: expect.any(Number) },
    });
    expect(await listed()).toMatchObject([{ result_id: id, status: 'ready', total_row_count: 3 }]);
    await expect(analyst.rows(`SELECT sum(n) FROM results.${id}`)).resolves.toEqual([[3]]);
    const { body } = await tenant.asAdmin.call('job.list', { query: { kind: 'result.persist' } });
    expect(body.jobs).toMatchObject([{ result_id: id }]);
  });

  it('is stored by a later try when the store was away for a moment', async () => {
    millrace.store.fail('putFile', { times: 2 });
    const answer = await analyst.ask('SELECT 1 AS one');
    await expect(settled(answer.result_id, 'ready')).resolves.toMatchObject({ rows: [[1]] });
    // The keys of the tries that failed go away again.
    await eventually('one file is left', async () => (await keysOf(answer.result_id)).length === 1);
  });

  it('is failed once its file has vanished: reading it says so, SQL refuses it', async () => {
    const { result_id: id } = await analyst.ask('SELECT 1 AS one');
    await settled(id, 'ready');
    for (const key of await keysOf(id)) await millrace.store.delete(key);
    const read = await tenant.asAdmin.call('result.get', { path: { id } });
    expect(read.status).toBe(200);
    expect(read.body).toMatchObject({ status: 'failed', error: { code: 'result.file_missing' } });
    expect(read.body.rows).toBeUndefined();
    expect(await listed('failed')).toMatchObject([{ result_id: id }]);
    const refused = await analyst.refusedSql(`FROM results.${id}`);
    expect(refused).toMatchObject({ status: 422, code: 'result.not_ready' });
  });

  it('is failed once its file has vanished, also when SQL finds out first', async () => {
    const { result_id: id } = await analyst.ask('SELECT 1 AS one');
    await settled(id, 'ready');
    for (const key of await keysOf(id)) await millrace.store.delete(key);
    const refused = await analyst.refusedSql(`FROM results.${id}`);
    expect(refused).toMatchObject({ status: 422, code: 'result.not_ready' });
    await expect(get(id)).resolves.toMatchObject({ status: 'failed', error: { code: 'result.file_missing' } });
  });

  it('can be made of a result, page by page and far beyond the rows of an answer', async () => {
    const first = await analyst.ask('SELECT range AS n, range % 7 AS m FROM range(25000)');
    await settled(first.result_id, 'ready');
    const second = await analyst.ask(
      `SELECT m, count(*) AS c, max(n) AS top FROM results.${first.result_id} GROUP BY m ORDER BY m`,
    );
    expect(second.inputs).toEqual([{ result_id: first.result_id }]);
    const expected = Array.from({ length: 7 }, (_, m) => {
      const count = Math.floor((24_999 - m) / 7) + 1;
      return [m, count, m + 7 * (count - 1)];
    });
    expect(second.rows).toEqual(expected);
    await settled(second.result_id, 'ready');
    const both = `SELECT count(*) FROM results.${first.result_id} a JOIN RESULTS."${second.result_id.toUpperCase()}" b USING (m)`;
    await expect(analyst.rows(both)).resolves.toEqual([[25_000]]);
  });

  it('may have no rows', async () => {
    const { result_id: id } = await analyst.ask("SELECT 1 AS one, DATE '2020-01-01' AS day WHERE false");
    await expect(settled(id, 'ready')).resolves.toMatchObject({
      ...{ columns: ['one', 'day'], types: ['INTEGER', 'DATE'], rows: [], total_row_count: 0, has_more: false },
    });
    await expect(analyst.ask(`FROM results.${id}`)).resolves.toMatchObject({ rows: [], types: ['INTEGER', 'DATE'] });
  });

  it('of an admin is not there for a member, whose own is there for both', async () => {
    const member = new Analyst(tenant.asMember);
    const { result_id: theirs } = await analyst.ask('SELECT 1');
    const { result_id: own } = await member.ask('SELECT 2');
    for (const id of [theirs, own]) await settled(id, 'ready');
    await expect(problemOf(tenant.asMember.call('result.get', { path: { id: theirs } }))).resolves.toMatchObject({
      ...{ status: 404, code: 'result.not_found' },
    });
    const refused = await member.refusedSql(`FROM results.${theirs}`);
    const unknownId = `${theirs.slice(0, -1)}${theirs.endsWith('0') ? '1' : '0'}`;
    const unknown = await member.refusedSql(`FROM results.${unknownId}`);
    expect(refused).toMatchObject({ status: 422, code: 'table.unknown' });
    expect(refused.detail.replaceAll(theirs, unknownId)).toBe(unknown.detail);
    const { body } = await tenant.asMember.call('result.list');
    expect(body.results.map(({ result_id: id }) => id)).toEqual([own]);
    expect((await listed()).map(({ result_id: id }) => id).toSorted()).toEqual([theirs, own].toSorted());
    await expect(analyst.rows(`FROM results.${own}`)).resolves.toEqual([[2]]);
    await expect(member.rows(`FROM results.${own}`)).resolves.toEqual([[2]]);
  });

  it('is no dataset: a dataset whose file has vanished gives a typed error and stays', async () => {
    const dataset = await analyst.convert(await analyst.upload({ bytes: 'a\n1\n', type: 'text/csv' }));
    const prefix = `t/${tenant.tenantId}/datasets/${dataset.id}/`;
    for (const key of await storedKeys(millrace.store, prefix)) await millrace.store.delete(key);
    const query = await analyst.refusedSql(`FROM datasets.${dataset.table_name}`);
    expect(query).toMatchObject({ status: 500, code: 'storage.object_missing', retryable: false });
    const preview = await problemOf(tenant.asAdmin.call('dataset.preview', { path: { id: dataset.id } }));
    expect(preview).toMatchObject({ status: 500, code: 'storage.object_missing' });
    // What a file is called in the store is nobody's business.
    for (const problem of [query, preview]) expect(JSON.stringify(problem)).not.toContain(prefix);
    await expect(analyst.rows('SELECT 1')).resolves.toEqual([[1]]);
    await expect(tenant.asAdmin.call('dataset.delete', { path: { id: dataset.id } })).resolves.toMatchObject({
      status: 204,
    });
  });

  it('can be read while the store fails for a moment, or says that it does', async () => {
    const { result_id: id } = await analyst.ask('SELECT 1 AS one');
    await settled(id, 'ready');
    await get(id);
    const dataset = await analyst.convert(await analyst.upload({ bytes: 'a\n1\n', type: 'text/csv' }));
    millrace.store.fail('link');
    const query = await analyst.refusedSql(`FROM datasets.${dataset.table_name}`);
    expect(query).toMatchObject({ status: 503, code: 'storage.unavailable', retryable: true });
    millrace.store.heal();
    await expect(analyst.rows(`FROM datasets.${dataset.table_name}`)).resolves.toEqual([[1]]);
  });
});
