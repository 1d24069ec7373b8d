import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { previewSchema } from '@millrace/contract';
import { newId, type Principal } from '@millrace/domain';
import { createDataset, startJob } from '@millrace/testing';
import { QueryServiceHarness } from '../../test/query-service-harness.js';
import { createTable } from '../../test/tables.js';

describe('dataset.preview', () => {
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

  const preview = (id: string, query = '', by = caller) => harness.get(by, `/v1/datasets/${id}/preview${query}`);

  it('shows the first rows with their types', async () => {
    const { id } = await createTable(harness, caller, {
      sql: 'SELECT range AS n, range::HUGEINT AS h FROM range(200)',
    });
    const { status, body } = await preview(id, '?limit=2', member);
    expect(status).toBe(200);
    expect(previewSchema.parse(body)).toEqual({
      dataset_id: id,
      version: 1,
      columns: ['n', 'h'],
      types: ['BIGINT', 'HUGEINT'],
      nullable: [true, true],
      row_count: 2,
      total_row_count: 200,
      truncated: true,
      rows: [
        [0, 0],
        [1, 1],
      ],
    });
    expect((await preview(id)).body).toMatchObject({ row_count: 100, truncated: true });
    expect((await preview(id, '?limit=1000')).body).toMatchObject({ row_count: 200, truncated: false });
    expect((await preview(id, '?limit=0')).body).toMatchObject({ status: 400, code: 'request.invalid' });
  });

  it('knows datasets that have no rows yet, and those that never will', async () => {
    const dataset = await createDataset(harness.catalog, caller);
    expect((await preview(dataset.id)).body).toMatchObject({ status: 409, code: 'dataset.not_ready' });
    const { tenantId } = caller;
    const fence = await startJob(harness.catalog, { tenantId, jobId: dataset.jobId ?? newId('job') });
    await harness.catalog.jobs.fail(fence, { code: 'conversion.failed', detail: 'Line 3 has too few fields.' });
    expect((await preview(dataset.id)).body).toMatchObject({
      status: 409,
      code: 'dataset.not_ready',
      detail: expect.stringContaining('Line 3'),
    });
  });

  it('shows nothing of another tenant', async () => {
    const { id } = await createTable(harness, caller, { sql: 'SELECT 1 AS a' });
    const { admin } = await harness.createTenant();
    expect((await preview(id, '', admin.principal)).body).toMatchObject({ status: 404, code: 'dataset.not_found' });
    expect((await preview('nonsense')).body).toMatchObject({ status: 404, code: 'dataset.not_found' });
  });

  it('passes on what the store says', async () => {
    const { id, tableName, tenantId } = await createTable(harness, caller, { sql: 'SELECT 1 AS a' });
    harness.store.fail('link', { times: 1 });
    expect((await preview(id)).body).toMatchObject({ status: 503, code: 'storage.unavailable' });
    const [table] = await harness.catalog.datasets.resolveTables(tenantId, [tableName]);
    await harness.store.delete(table?.head?.files[0]?.storageKey ?? '');
    expect((await preview(id)).body).toMatchObject({ status: 500, code: 'storage.object_missing' });
  });
});
