import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PERSIST_JOB, QUERY_JOB, type Catalog, type StoredRows } from '@millrace/catalog';
import { newId, type JobFence, type QueryRunId, type TenantId, type UserId } from '@millrace/domain';
import { createTenant, newJob, openCatalog, startJob, writeBlob, type TestCatalog } from '@millrace/testing';

const leaseMs = 60_000;
const NOT_CURRENT = { code: 'job.lost' };

describe('a query in the background', () => {
  let opened: TestCatalog;
  let catalog: Catalog;

  beforeAll(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  afterAll(() => opened.stop());

  const newOwner = async (): Promise<{ tenantId: TenantId; userId: UserId }> => {
    const { admin } = await createTenant(catalog);
    return admin.principal;
  };

  const create = async (owner: { tenantId: TenantId; userId: UserId }, activeMax = 100) => {
    const { tenantId, userId } = owner;
    const id = newId('queryRun');
    const job = newJob(QUERY_JOB);
    const run = { tenantId, userId, id, sql: 'SELECT $1', params: [1], timeoutMs: 1_000, job, activeMax };
    await catalog.backgroundRuns.create(run);
    return { id, job: { tenantId, jobId: job.id } };
  };

  const begin = async (): Promise<{ id: QueryRunId; fence: JobFence }> => {
    const { id, job } = await create(await newOwner());
    const fence = await startJob(catalog, job);
    await catalog.backgroundRuns.start(fence, { inputs: [] });
    return { id, fence };
  };

  const storedRows = async (tenantId: TenantId): Promise<StoredRows> => ({
    resultId: newId('result'),
    columns: [{ name: 'one', type: 'INTEGER', nullable: false }],
    rowCount: 1,
    blob: await writeBlob(catalog, tenantId),
    job: newJob(PERSIST_JOB),
    leaseMs,
    expiresInMs: leaseMs,
  });

  it('has what its attempt needs, as it was sent', async () => {
    const { id, fence } = await begin();
    const { run, role } = await catalog.backgroundRuns.get(fence);
    expect(run).toMatchObject({ id, sql: 'SELECT $1', params: [1], timeoutMs: 1_000, status: 'running' });
    expect(role).toBe('admin');
  });

  it('ends with its job, its result and the file of that at once', async () => {
    const { id, fence } = await begin();
    const rows = await storedRows(fence.tenantId);
    await catalog.backgroundRuns.succeed(fence, rows);
    const { tenantId, jobId } = fence;
    const { resultId } = rows;
    expect(await catalog.queryRuns.get(tenantId, id)).toMatchObject({ status: 'succeeded', resultId, rowCount: 1 });
    expect(await catalog.jobs.get(tenantId, jobId)).toMatchObject({ status: 'succeeded', progress: 1 });
    const { storageKey } = rows.blob;
    expect(await catalog.results.get(tenantId, resultId)).toMatchObject({ status: 'processing', storageKey });
    const persist = await startJob(catalog, { tenantId, jobId: rows.job.id });
    expect(await catalog.results.commitReady(persist, { statistics: {} })).toBe('committed');
  });

  it('is fenced: an attempt that is not the current one changes nothing', async () => {
    const { id, fence } = await begin();
    const stale = { ...fence, attempt: fence.attempt + 1 };
    const rows = await storedRows(fence.tenantId);
    await expect(catalog.backgroundRuns.get(stale)).rejects.toMatchObject(NOT_CURRENT);
    await expect(catalog.backgroundRuns.start(stale, { inputs: [] })).rejects.toMatchObject(NOT_CURRENT);
    await expect(catalog.backgroundRuns.succeed(stale, rows)).rejects.toMatchObject(NOT_CURRENT);
    expect(await catalog.queryRuns.get(fence.tenantId, id)).toMatchObject({ status: 'running', resultId: null });
    await expect(catalog.results.get(fence.tenantId, rows.resultId)).rejects.toMatchObject({
      code: 'result.not_found',
    });
  });

  it('does not succeed once somebody has cancelled it', async () => {
    const { id, fence } = await begin();
    await catalog.queryRuns.requestCancel(fence.tenantId, id);
    const late = catalog.backgroundRuns.succeed(fence, await storedRows(fence.tenantId));
    await expect(late).rejects.toMatchObject({ code: 'job.cancelled' });
    await catalog.jobs.fail(fence, { code: 'job.cancelled', detail: '' });
    const error = { code: 'query.cancelled' };
    expect(await catalog.queryRuns.get(fence.tenantId, id)).toMatchObject({ status: 'cancelled', error });
  });

  it('is bounded in number for each tenant', async () => {
    const [owner, other] = [await newOwner(), await newOwner()];
    await create(owner, 1);
    await expect(create(owner, 1)).rejects.toMatchObject({ code: 'query.too_many' });
    await create(other, 1);
    const { items } = await catalog.jobs.list(owner.tenantId, { limit: 10 });
    expect(items).toHaveLength(1);
  });

  it('counts as none of those that somebody waits for, and has no lease that ends', async () => {
    const { fence } = await begin();
    expect(await catalog.queryRuns.countActive(fence.tenantId)).toBe(0);
    expect(await catalog.queryRuns.sweepLost()).toEqual([]);
  });

  it('stays in the history when its job is forgotten', async () => {
    const { id, fence } = await begin();
    await catalog.jobs.fail(fence, { code: 'sql.failed', detail: 'Out of range.' });
    await catalog.jobs.purgeEnded({ olderThanMs: 0, limit: 1_000 });
    const error = { code: 'sql.failed' };
    expect(await catalog.queryRuns.get(fence.tenantId, id)).toMatchObject({ status: 'failed', jobId: null, error });
  });

  it('is forgotten in its time, with its result', async () => {
    const { id, fence } = await begin();
    await catalog.jobs.fail(fence, { code: 'sql.failed', detail: 'Out of range.' });
    await catalog.queryRuns.purgeEnded({ olderThanMs: 0, limit: 1_000 });
    await expect(catalog.queryRuns.get(fence.tenantId, id)).rejects.toMatchObject({ code: 'query.not_found' });
    expect(await catalog.jobs.get(fence.tenantId, fence.jobId)).toMatchObject({ status: 'failed' });
  });
});
