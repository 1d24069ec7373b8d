import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Catalog } from '@millrace/catalog';
import { newId, type QueryRunId, type ResultId, type TenantId } from '@millrace/domain';
import {
  createStoredResult,
  createTenant,
  openCatalog,
  startJob,
  type Owner,
  type TestCatalog,
} from '@millrace/testing';

describe('a result that answers again', () => {
  let opened: TestCatalog;
  let catalog: Catalog;
  let tenantId: TenantId;
  let owner: Owner;

  beforeAll(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  beforeEach(async () => {
    const tenant = await createTenant(catalog);
    ({ tenantId } = tenant);
    owner = tenant.member.principal;
  });
  afterAll(() => opened.stop());

  const createReady = async (options: { expiresInMs?: number } = {}) => {
    const { resultId, job, blob } = await createStoredResult(catalog, owner, options);
    await catalog.results.commitReady(await startJob(catalog, { tenantId, jobId: job.id }), { statistics: {} });
    return { id: resultId, key: blob.storageKey };
  };
  const ask = async (): Promise<QueryRunId> => {
    const id = newId('queryRun');
    const { userId } = owner;
    await catalog.queryRuns.create({ tenantId, userId, id, sql: 'SELECT 1', timeoutMs: 30_000, leaseMs: 60_000 });
    return id;
  };
  const reuse = (earlier: ResultId, queryRunId: QueryRunId, id = newId('result')) =>
    catalog.resultReuse.reuse(
      { tenantId, id: earlier },
      { userId: owner.userId, queryRunId, id, inputs: [], expiresInMs: 60_000 },
    );

  it('gives the run a result of its own on the same file', async () => {
    const { id: earlier, key } = await createReady();
    const [run, id] = [await ask(), newId('result')];
    expect(await reuse(earlier, run, id)).toBe(true);
    expect(await catalog.queryRuns.get(tenantId, run)).toMatchObject({
      status: 'succeeded',
      resultId: id,
      rowCount: 1,
    });
    expect(await catalog.results.get(tenantId, id)).toMatchObject({ status: 'ready', storageKey: key });
    expect(await catalog.blobs.find({ tenantId, storageKey: key })).toMatchObject({ referenceCount: 2 });
  });

  it.each<[string, () => Promise<ResultId>]>([
    ['has expired, even where nobody has noted it', async () => (await createReady({ expiresInMs: -1 })).id],
    ['is not stored yet', async () => (await createStoredResult(catalog, owner)).resultId],
    ['is none', async () => newId('result')],
  ])('is not one that %s; then the run stays as it is', async (_, make) => {
    const run = await ask();
    expect(await reuse(await make(), run)).toBe(false);
    expect(await catalog.queryRuns.get(tenantId, run)).toMatchObject({ status: 'queued', resultId: null });
  });

  it('is given to no run that has ended meanwhile, and no reference is left of it', async () => {
    const { id: earlier, key } = await createReady();
    const run = await ask();
    await catalog.queryRuns.cancel({ tenantId, id: run });
    await expect(reuse(earlier, run)).rejects.toMatchObject({ code: 'query.lost' });
    expect(await catalog.blobs.find({ tenantId, storageKey: key })).toMatchObject({ referenceCount: 1 });
  });
});
