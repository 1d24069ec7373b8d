import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';
import { storedKeys } from './harness/stored-files.js';

describe('the lifetime of a result', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace({ RESULT_RETENTION_MS: '3000', DELETION_GRACE_MS: '100' });
  });
  beforeEach(async () => {
    tenant = await millrace.newTenant();
    analyst = new Analyst(tenant.asAdmin);
  });
  afterAll(() => millrace.stop());

  const get = async (id: string) => (await tenant.asAdmin.call('result.get', { path: { id } })).body;
  const readyResult = async (sql: string): Promise<string> => {
    const { result_id: id } = await analyst.ask(sql);
    await eventually('it is ready', async () => (await get(id)).status === 'ready');
    return id;
  };
  const keys = (): Promise<string[]> => storedKeys(millrace.store, `t/${tenant.tenantId}/`);

  it('is longer with a pin, which the sweeper respects, and over without', async () => {
    const { result_id: pinned } = await analyst.ask('SELECT 1 AS pinned');
    const { body } = await tenant.asAdmin.call('result.pin', { path: { id: pinned } });
    expect(body).toMatchObject({ result_id: pinned, expires_at: null });
    const { result_id: longer } = await analyst.ask('SELECT 2 AS longer');
    const { body: kept } = await tenant.asAdmin.call('result.pin', { path: { id: longer }, body: { ttl_s: 3_600 } });
    expect(Date.parse(kept.expires_at ?? '')).toBeGreaterThan(Date.now() + 1_800_000);
    const usual = await readyResult('SELECT 3 AS usual');
    await eventually('the usual one is expired', async () => (await get(usual)).status === 'expired');
    // Both are older than the one that is expired.
    for (const id of [pinned, longer]) expect(await get(id)).toMatchObject({ status: 'ready' });
    const gone = tenant.asAdmin.open('result.download', { path: { id: usual } });
    await expect(problemOf(gone)).resolves.toMatchObject({ status: 410, code: 'result.expired' });
    const late = tenant.asAdmin.call('result.pin', { path: { id: usual } });
    await expect(problemOf(late)).resolves.toMatchObject({ status: 410, code: 'result.expired' });
    const { body: unpinned } = await tenant.asAdmin.call('result.unpin', { path: { id: pinned } });
    expect(Date.parse(unpinned.expires_at ?? '')).toBeLessThan(Date.now());
    await eventually('it is expired', async () => (await get(pinned)).status === 'expired');
    expect(await get(longer)).toMatchObject({ status: 'ready' });
  });

  it('is pinned by a body that is empty, or says for how long', async () => {
    const id = await readyResult('SELECT 1');
    const pin = (body: string | undefined) =>
      fetch(`${millrace.url}/v1/results/${id}/pin`, {
        method: 'POST',
        headers: { authorization: `Bearer ${tenant.admin.apiKey}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body }),
      });
    const statuses = [];
    for (const body of [undefined, '{}', '{"ttl_s":1}', '{"ttl_s":0}', '{"ttl":1}', '{'])
      statuses.push((await pin(body)).status);
    expect(statuses).toEqual([200, 200, 200, 400, 400, 400]);
  });

  it('ends with its deletion', async () => {
    const { result_id: id, query_run_id: run } = await analyst.ask('SELECT 1 AS one');
    await eventually('it is ready', async () => (await get(id)).status === 'ready');
    const remove = () => tenant.asAdmin.call('result.delete', { path: { id } });
    const both = await Promise.allSettled([remove(), remove()]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await expect(problemOf(remove())).resolves.toMatchObject({ status: 404, code: 'result.not_found' });
    await expect(problemOf(get(id))).resolves.toMatchObject({ status: 404, code: 'result.not_found' });
    await expect(analyst.refusedSql(`FROM results.${id}`)).resolves.toMatchObject({
      status: 422,
      code: 'table.unknown',
    });
    const { body } = await tenant.asAdmin.call('query.get', { path: { id: run } });
    expect(body).toMatchObject({ status: 'succeeded', result_id: null });
    await eventually('its file is gone', async () => (await keys()).length === 0);
  });

  it('does not end before the file is stored', async () => {
    const held = millrace.store.hold('putFile');
    const { result_id: id } = await analyst.ask('SELECT 1 AS one');
    await held.arrived;
    for (const asked of [
      tenant.asAdmin.call('result.delete', { path: { id } }),
      tenant.asAdmin.open('result.download', { path: { id } }),
    ]) {
      await expect(problemOf(asked)).resolves.toMatchObject({ status: 409, code: 'result.pending', retryable: true });
    }
    held.release();
    await eventually('it is ready', async () => (await get(id)).status === 'ready');
    await tenant.asAdmin.call('result.delete', { path: { id } });
  });

  it('is nothing that others could change', async () => {
    const id = await readyResult('SELECT 1');
    const stranger = (await millrace.newTenant()).asAdmin;
    for (const client of [stranger, tenant.asMember]) {
      for (const name of ['result.pin', 'result.unpin', 'result.delete'] as const) {
        const asked = client.call(name, { path: { id } });
        await expect(problemOf(asked)).resolves.toMatchObject({ status: 404, code: 'result.not_found' });
      }
    }
    expect((await get(id)).status).toBe('ready');
  });
});
