import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';
import { storedKeys } from './harness/stored-files.js';

/** Long enough to be seen before it ends, short enough to wait for. */
const RETENTION_MS = 3_000;

describe('what is kept for a time', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace({
      RESULT_RETENTION_MS: String(RETENTION_MS),
      UPLOAD_RETENTION_MS: String(RETENTION_MS),
      DELETION_GRACE_MS: '100',
    });
  });
  beforeEach(async () => {
    tenant = await millrace.newTenant();
    analyst = new Analyst(tenant.asAdmin);
  });
  afterAll(() => millrace.stop());

  const keys = (): Promise<string[]> => storedKeys(millrace.store, `t/${tenant.tenantId}/`);
  const lifeOf = (thing: { created_at: string; expires_at: string | null }): number =>
    Date.parse(thing.expires_at ?? '') - Date.parse(thing.created_at);

  it('is a result: then it is expired, its file goes, and SQL refuses it', async () => {
    const answer = await analyst.ask('SELECT 1 AS one');
    const id = answer.result_id;
    const get = async () => (await tenant.asAdmin.call('result.get', { path: { id } })).body;
    const ready = await eventually('it is ready', async () => {
      const result = await get();
      return result.status === 'ready' && result;
    });
    expect(ready.rows).toEqual([[1]]);
    expect(lifeOf(ready)).toBeGreaterThan(RETENTION_MS - 500);
    expect(lifeOf(ready)).toBeLessThan(RETENTION_MS + 500);
    expect(await keys()).toHaveLength(1);

    await eventually('it is expired', async () => (await get()).status === 'expired');
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(ready.expires_at ?? ''));
    const expired = await get();
    expect(expired).toMatchObject({ status: 'expired', columns: ['one'] });
    expect(expired.rows).toBeUndefined();
    await expect(analyst.refusedSql(`FROM results.${id}`)).resolves.toMatchObject({
      ...{ status: 422, code: 'result.not_ready', detail: expect.stringContaining('expired') },
    });
    const { body: list } = await tenant.asAdmin.call('result.list', { query: { status: 'expired' } });
    expect(list.results).toMatchObject([{ result_id: id }]);
    await eventually('its file is gone', async () => (await keys()).length === 0);
    const { body: run } = await tenant.asAdmin.call('query.get', { path: { id: answer.query_run_id } });
    expect(run).toMatchObject({ status: 'succeeded', result_id: id });
  });

  it('is an upload: then it is expired, its bytes go, and no dataset can be made of it', async () => {
    const upload = await analyst.upload({ bytes: 'a\n1\n', type: 'text/csv' });
    expect(lifeOf(upload)).toBeGreaterThan(RETENTION_MS - 500);
    expect(lifeOf(upload)).toBeLessThan(RETENTION_MS + 500);
    expect(await keys()).toHaveLength(1);
    const get = async () => (await tenant.asAdmin.call('file.get', { path: { id: upload.id } })).body;
    await eventually('it is expired', async () => (await get()).status === 'expired');
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(upload.expires_at));
    await expect(problemOf(analyst.convert(upload))).resolves.toMatchObject({ status: 400, code: 'upload.expired' });
    await eventually('its bytes are gone', async () => (await keys()).length === 0);
    const { body: pending } = await tenant.asAdmin.call('file.list', { query: { status: 'pending' } });
    expect(pending.uploads).toEqual([]);
  });

  it('is not a dataset, nor the bytes that another upload still holds', async () => {
    const [first, kept] = [await analyst.upload({ bytes: 'a\n1\n' }), await analyst.upload({ bytes: 'b\n2\n' })];
    const dataset = await analyst.convert(kept, { format: 'csv' });
    await eventually('the other upload is expired', async () => {
      const { body } = await tenant.asAdmin.call('file.get', { path: { id: first.id } });
      return body.status === 'expired';
    });
    const again = await analyst.upload({ bytes: 'a\n1\n' });
    await expect(analyst.convert(again, { format: 'csv' })).resolves.toMatchObject({ row_count: 1 });
    await expect(analyst.rows(`FROM datasets.${dataset.table_name}`)).resolves.toEqual([[2]]);
    const { body: consumed } = await tenant.asAdmin.call('file.get', { path: { id: kept.id } });
    expect(consumed.status).toBe('consumed');
  });
});
