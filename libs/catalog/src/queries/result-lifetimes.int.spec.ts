import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Catalog } from '@millrace/catalog';
import { newId, type ResultId, type TenantId } from '@millrace/domain';
import {
  createResult,
  createStoredResult,
  createTenant,
  eventually,
  openCatalog,
  startJob,
  type Owner,
  type TestCatalog,
} from '@millrace/testing';

const DAY_MS = 24 * 60 * 60_000;

describe('the lifetime of a result', () => {
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

  const createReady = async (options: { expiresInMs?: number } = {}) => {
    const { resultId, job, blob } = await createStoredResult(catalog, owner, options);
    await catalog.results.commitReady(await startJob(catalog, { tenantId, jobId: job.id }), { statistics: {} });
    return { id: resultId, tenantId, blob };
  };
  const createFailed = async (): Promise<{ id: ResultId; tenantId: TenantId }> => {
    const { resultId: id } = await createResult(catalog, owner);
    await catalog.results.fail({ tenantId, id }, { code: 'storage.full', detail: 'The disk is full.' });
    return { id, tenantId };
  };
  const statusOf = async (id: ResultId) => (await catalog.results.get(tenantId, id)).status;
  const blobStatusOf = async (storageKey: string) => (await catalog.blobs.find({ tenantId, storageKey }))?.status;

  it('is without end while it is pinned, and over when it is unpinned too late', async () => {
    const result = await createReady({ expiresInMs: -DAY_MS });
    expect(await catalog.resultLifetimes.pin(result)).toMatchObject({ id: result.id, expiresAt: null });
    expect(await catalog.resultLifetimes.expireDue()).toBe(0);
    expect(await statusOf(result.id)).toBe('ready');
    const { expiresAt, retainedUntil } = await catalog.resultLifetimes.unpin(result);
    expect(expiresAt).toEqual(retainedUntil);
    expect(await catalog.resultLifetimes.expireDue()).toBe(1);
    expect(await statusOf(result.id)).toBe('expired');
    expect(await blobStatusOf(result.blob.storageKey)).toBe('unreferenced');
  });

  it('is longer with a pin for a time, and never shorter', async () => {
    const due = await createReady({ expiresInMs: -DAY_MS });
    const { expiresAt } = await catalog.resultLifetimes.pin(due, { ttlMs: DAY_MS });
    expect(expiresAt?.getTime()).toBeGreaterThan(Date.now() + DAY_MS / 2);
    expect(await catalog.resultLifetimes.expireDue()).toBe(0);
    await catalog.resultLifetimes.pin(due);
    const again = await catalog.resultLifetimes.pin(due, { ttlMs: DAY_MS });
    expect(again.expiresAt).not.toBeNull();
    const fresh = await createReady({ expiresInMs: 2 * DAY_MS });
    const short = await catalog.resultLifetimes.pin(fresh, { ttlMs: 1_000 });
    expect(short.expiresAt).toEqual(short.retainedUntil);
  });

  it('has an end, too, when a service inserted it that knows of no pins', async () => {
    const { resultId } = await createResult(catalog, owner);
    const id = newId('result');
    // As the first version did it, which may still run beside this one.
    await catalog.transaction((transaction) =>
      transaction.query(
        `INSERT INTO results (tenant_id, id, user_id, query_run_id, columns, row_count, status, lease_until, expires_at)
         SELECT tenant_id, $3, user_id, query_run_id, columns, row_count, status, lease_until, now() + interval '3 days'
         FROM results WHERE tenant_id = $1 AND id = $2`,
        [tenantId, resultId, id],
      ),
    );
    expect((await catalog.resultLifetimes.pin({ tenantId, id })).expiresAt).toBeNull();
    const { expiresAt } = await catalog.resultLifetimes.unpin({ tenantId, id });
    expect(expiresAt?.getTime()).toBeGreaterThan(Date.now() + DAY_MS);
  });

  it('can be set while the file is on its way', async () => {
    const { resultId: id } = await createResult(catalog, owner);
    expect(await catalog.resultLifetimes.pin({ tenantId, id })).toMatchObject({
      expiresAt: null,
      status: 'processing',
    });
  });

  it('can not be set any more when there are no rows', async () => {
    const failed = await createFailed();
    await expect(catalog.resultLifetimes.pin(failed)).rejects.toMatchObject({
      ...{ code: 'result.failed', message: expect.stringContaining('The disk is full.') },
    });
    const expired = await createReady({ expiresInMs: -DAY_MS });
    await catalog.resultLifetimes.expireDue();
    await expect(catalog.resultLifetimes.pin(expired)).rejects.toMatchObject({ code: 'result.expired' });
    await expect(catalog.resultLifetimes.unpin(expired)).rejects.toMatchObject({ code: 'result.expired' });
  });

  it('is only for those to change who may read it', async () => {
    const { id } = await createReady();
    const { userId } = stranger;
    const [own, foreign] = [
      { tenantId, id },
      { tenantId: newId('tenant'), id },
    ];
    for (const refused of [
      catalog.resultLifetimes.pin(own, { userId }),
      catalog.resultLifetimes.unpin(own, { userId }),
      catalog.resultLifetimes.delete(tenantId, id, { userId }),
      catalog.resultLifetimes.pin(foreign),
      catalog.resultLifetimes.delete(foreign.tenantId, id),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'result.not_found' });
    }
    expect(await statusOf(id)).toBe('ready');
  });

  it('ends with its deletion: the file is given back and the query stays', async () => {
    const { id, blob } = await createReady();
    const { queryRunId } = await catalog.results.get(tenantId, id);
    await catalog.resultLifetimes.delete(tenantId, id);
    await expect(catalog.results.get(tenantId, id)).rejects.toMatchObject({ code: 'result.not_found' });
    expect(await catalog.results.resolve(tenantId, [id])).toEqual([]);
    expect(await blobStatusOf(blob.storageKey)).toBe('unreferenced');
    expect(await catalog.queryRuns.get(tenantId, queryRunId)).toMatchObject({ status: 'succeeded', resultId: null });
  });

  it('ends once when it is deleted several times at once', async () => {
    const { id, blob } = await createReady();
    const deletions = await Promise.allSettled(
      Array.from({ length: 4 }, () => catalog.resultLifetimes.delete(tenantId, id)),
    );
    const codes = deletions.map((each) => (each.status === 'rejected' ? each.reason.code : 'deleted'));
    expect(codes.toSorted()).toEqual(['deleted', 'result.not_found', 'result.not_found', 'result.not_found']);
    expect(await blobStatusOf(blob.storageKey)).toBe('unreferenced');
  });

  it('ends without keeping anybody waiting who has its query', async () => {
    const { id } = await createReady();
    const { queryRunId } = await catalog.results.get(tenantId, id);
    let deletion: Promise<void> | undefined;
    await catalog.transaction(async (transaction) => {
      await transaction.query('SELECT FROM query_runs WHERE tenant_id = $1 AND id = $2 FOR UPDATE', [
        tenantId,
        queryRunId,
      ]);
      deletion = catalog.resultLifetimes.delete(tenantId, id);
      await eventually('the deletion waits', async () => {
        const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        return (await transaction.query(waiting)).length > 0;
      });
      await transaction.query('SELECT FROM results WHERE tenant_id = $1 AND id = $2 FOR UPDATE NOWAIT', [tenantId, id]);
    });
    await deletion;
    await expect(catalog.results.get(tenantId, id)).rejects.toMatchObject({ code: 'result.not_found' });
  });

  it('is decided one way when all who may end or lengthen it come at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const result = await createReady({ expiresInMs: -DAY_MS });
      const { id, blob } = result;
      const at = await Promise.allSettled([
        catalog.resultLifetimes.pin(result),
        catalog.resultLifetimes.expireDue(),
        catalog.resultLifetimes.delete(tenantId, id),
        catalog.results.markFileMissing(result),
        catalog.resultLifetimes.unpin(result),
        catalog.queryRuns.purgeEnded({ olderThanMs: 0, limit: 100 }),
      ]);
      const unexpected = at.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
      const codes: unknown[] = ['result.not_found', 'result.expired', 'result.failed'];
      expect(unexpected.filter(({ code }) => !codes.includes(code))).toEqual([]);
      await expect(catalog.results.get(tenantId, id)).rejects.toMatchObject({ code: 'result.not_found' });
      expect(await blobStatusOf(blob.storageKey)).not.toBe('live');
    }
  });

  it('ends with a deletion also when the result has failed or expired, but not while it is being stored', async () => {
    const failed = await createFailed();
    await catalog.resultLifetimes.delete(tenantId, failed.id);
    const expired = await createReady({ expiresInMs: -DAY_MS });
    await catalog.resultLifetimes.expireDue();
    await catalog.resultLifetimes.delete(tenantId, expired.id);
    const { resultId } = await createStoredResult(catalog, owner);
    const early = catalog.resultLifetimes.delete(tenantId, resultId);
    await expect(early).rejects.toMatchObject({ code: 'result.pending' });
    expect((await catalog.results.list(tenantId, { limit: 10 })).items.map(({ id }) => id)).toEqual([resultId]);
  });
});
