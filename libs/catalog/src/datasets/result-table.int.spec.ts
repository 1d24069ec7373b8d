import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Catalog, Dataset } from '@millrace/catalog';
import { newId, type Column, type ResultId, type TenantId, type UserId } from '@millrace/domain';
import {
  createResult,
  createStoredResult,
  createTenant,
  openCatalog,
  startJob,
  type Owner,
  type TestCatalog,
} from '@millrace/testing';

describe('a dataset of a result', () => {
  let opened: TestCatalog;
  let catalog: Catalog;
  let tenantId: TenantId;
  let owner: Owner;
  let stranger: Owner;

  beforeAll(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  beforeEach(async () => {
    const tenant = await createTenant(catalog);
    ({ tenantId } = tenant);
    owner = tenant.member.principal;
    stranger = tenant.admin.principal;
  });
  afterAll(() => opened.stop());

  const createReady = async (columns?: readonly Column[]) => {
    const { resultId, job, blob } = await createStoredResult(catalog, owner);
    const fence = await startJob(catalog, { tenantId, jobId: job.id });
    await catalog.results.commitReady(fence, { statistics: {}, ...(columns && { columns }) });
    return { resultId, blob };
  };
  const create = (
    resultId: ResultId,
    more: { tableName?: string; onlyUserId?: UserId; in?: TenantId } = {},
  ): Promise<Dataset> => {
    const { tableName = 'kept', onlyUserId, in: home = tenantId } = more;
    const ids = { id: newId('dataset'), versionId: newId('version') };
    const { userId } = owner;
    const sourceConfig = { result_id: resultId };
    const dataset = { tenantId: home, userId, ...ids, label: 'Kept', tableName, sourceConfig };
    return catalog.datasets.createFromResult(dataset, { resultId, onlyUserId });
  };
  const blobOf = (storageKey: string) => catalog.blobs.find({ tenantId, storageKey });

  it('is ready at once, with the file, the types and the rows of the result', async () => {
    const columns = [{ name: 'span', type: 'INTERVAL[]', nullable: true }];
    const { resultId, blob } = await createReady(columns);
    const dataset = await create(resultId);
    expect(dataset).toMatchObject({
      ...{ status: 'ready', version: 1, rowCount: 1, sizeBytes: blob.sizeBytes, columns, sourceType: 'result' },
      ...{ sourceConfig: { result_id: resultId }, jobId: null, uploadId: null, error: null },
    });
    const [table] = await catalog.datasets.resolveTables(tenantId, ['KEPT']);
    expect(table?.head?.files).toEqual([{ ...blob, rowCount: 1 }]);
    expect(await blobOf(blob.storageKey)).toMatchObject({ status: 'live', referenceCount: 2 });
  });

  it('outlives the result, and the other way round', async () => {
    const { resultId, blob } = await createReady();
    const [first, second] = [await create(resultId), await create(resultId, { tableName: 'kept_too' })];
    await catalog.resultLifetimes.delete(tenantId, resultId);
    await catalog.datasets.delete(tenantId, first.id);
    expect(await blobOf(blob.storageKey)).toMatchObject({ status: 'live', referenceCount: 1 });
    await catalog.datasets.delete(tenantId, second.id);
    expect(await blobOf(blob.storageKey)).toMatchObject({ status: 'unreferenced' });
  });

  it('has names that SQL can tell apart where the result names two columns alike', async () => {
    const alike = ['n', 'N', '', 'n_1'].map((name) => ({ name, type: 'INTEGER', nullable: true }));
    const { resultId } = await createReady(alike);
    const { columns } = await create(resultId);
    expect(columns?.map(({ name }) => name)).toEqual(['n', 'N_2', 'column2', 'n_1']);
  });

  it('is refused to whoever may not read the result, and of one that has no rows to give', async () => {
    const { resultId } = await createReady();
    const refused = (code: string) => ({ code });
    await expect(create(newId('result'))).rejects.toMatchObject(refused('result.not_found'));
    await expect(create(resultId, { onlyUserId: stranger.userId })).rejects.toMatchObject(refused('result.not_found'));
    const elsewhere = await createTenant(catalog);
    await expect(create(resultId, { in: elsewhere.tenantId })).rejects.toMatchObject(refused('result.not_found'));
    const { resultId: pending } = await createStoredResult(catalog, owner);
    await expect(create(pending)).rejects.toMatchObject(refused('result.pending'));
    const { resultId: failed } = await createResult(catalog, owner);
    await catalog.results.fail({ tenantId, id: failed }, { code: 'storage.full', detail: 'The disk is full.' });
    await expect(create(failed)).rejects.toMatchObject(refused('result.failed'));
    await catalog.transaction((tx) =>
      tx.query('UPDATE results SET expires_at = now() WHERE tenant_id = $1 AND id = $2', [tenantId, resultId]),
    );
    await catalog.resultLifetimes.expireDue();
    await expect(create(resultId)).rejects.toMatchObject(refused('result.expired'));
    expect((await catalog.datasets.list(tenantId, { limit: 10 })).items).toEqual([]);
  });

  it('is refused when the file is known to be lost', async () => {
    const { resultId, blob } = await createReady();
    await catalog.blobs.markLost({ tenantId, storageKey: blob.storageKey });
    await expect(create(resultId)).rejects.toMatchObject({ code: 'storage.object_missing' });
  });

  it('takes one reference each when several are made at once, and none when its name is taken', async () => {
    const { resultId, blob } = await createReady();
    const made = await Promise.allSettled(['a', 'b', 'A', 'B'].map((tableName) => create(resultId, { tableName })));
    const codes = made.map((each) => (each.status === 'rejected' ? each.reason.code : 'made'));
    expect(codes.toSorted()).toEqual(['made', 'made', 'table_name.taken', 'table_name.taken']);
    expect(await blobOf(blob.storageKey)).toMatchObject({ referenceCount: 3 });
  });

  it('has its file, or is refused, when the result is deleted at the same moment', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { resultId, blob } = await createReady();
      const [made] = await Promise.allSettled([
        create(resultId, { tableName: `round_${round}` }),
        catalog.resultLifetimes.delete(tenantId, resultId),
      ]);
      const code = made.status === 'rejected' ? made.reason.code : 'made';
      const kept = code === 'made' ? { status: 'live', referenceCount: 1 } : { status: 'unreferenced' };
      expect(['made', 'result.not_found']).toContain(code);
      expect(await blobOf(blob.storageKey)).toMatchObject(kept);
    }
  });
});
