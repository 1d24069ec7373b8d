import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type ErrorRecord, type QueryRunId, type TenantId } from '@millrace/domain';
import type { Catalog } from '@millrace/catalog';
import {
  createResult,
  createStoredResult,
  createTenant,
  openCatalog,
  startJob,
  writeBlob,
  newJob,
  type Owner,
  type TestCatalog,
} from '@millrace/testing';

const leaseMs = 60_000;
const OVER = -1_000;
const DAY_MS = 24 * 60 * 60_000;
const ERROR: ErrorRecord = { code: 'sql.failed', detail: 'Division by zero.' };

describe('query runs and results', () => {
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

  const createRun = async (options: { leaseMs?: number; params?: unknown } = {}) => {
    const { userId } = owner;
    const run = { tenantId, userId, id: newId('queryRun'), sql: 'SELECT $1', timeoutMs: 30_000, leaseMs };
    await catalog.queryRuns.create({ ...run, ...options });
    return catalog.queryRuns.get(tenantId, run.id);
  };
  const statusOfBlob = async (storageKey: string | null) =>
    (await catalog.blobs.find({ tenantId, storageKey: storageKey ?? '' }))?.status;

  describe('a query run', () => {
    it('goes from queued over running to its end, once', async () => {
      const { id, status } = await createRun({ params: [1, 'a', null] });
      const key = { tenantId, id };
      expect(status).toBe('queued');
      const inputs = [{ datasetId: newId('dataset'), versionId: newId('version') }];
      expect(await catalog.queryRuns.succeed(key, { rowCount: 1 })).toBe(false);
      expect(await catalog.queryRuns.start(key, { leaseMs, inputs })).toBe(true);
      expect(await catalog.queryRuns.start(key, { leaseMs })).toBe(false);
      expect(await catalog.queryRuns.succeed(key, { rowCount: 5 })).toBe(true);
      expect(await catalog.queryRuns.fail(key, ERROR)).toBe(false);
      expect(await catalog.queryRuns.get(tenantId, id)).toMatchObject({
        status: 'succeeded',
        rowCount: 5,
        sizeBytes: null,
        inputs,
        params: [1, 'a', null],
        error: null,
      });
    });

    it('keeps its error', async () => {
      const { id } = await createRun();
      await catalog.queryRuns.fail({ tenantId, id }, ERROR);
      expect(await catalog.queryRuns.get(tenantId, id)).toMatchObject({ status: 'failed', error: ERROR });
      expect(await catalog.queryRuns.countActive(tenantId)).toBe(0);
    });

    it('tells its service that somebody wants it to end', async () => {
      const runs = [await createRun(), await createRun()];
      const keys = runs.map(({ id }) => ({ tenantId, id }));
      const [unwanted] = runs;
      if (!unwanted) throw new Error('no run');
      expect(await catalog.queryRuns.extendLeases(keys, { leaseMs })).toEqual({ cancelRequested: [], lost: [] });
      await catalog.queryRuns.requestCancel(tenantId, unwanted.id);
      const answer = await catalog.queryRuns.extendLeases(keys, { leaseMs });
      expect(answer).toEqual({ cancelRequested: [unwanted.id], lost: [] });
      expect(await catalog.queryRuns.cancel({ tenantId, id: unwanted.id })).toBe(true);
      expect(await catalog.queryRuns.requestCancel(tenantId, unwanted.id)).toMatchObject({ status: 'cancelled' });
      const foreign = catalog.queryRuns.requestCancel(tenantId, runs[1]?.id ?? unwanted.id, stranger);
      await expect(foreign).rejects.toMatchObject({ code: 'query.not_found' });
      expect(await catalog.queryRuns.extendLeases(keys, { leaseMs })).toMatchObject({ lost: [unwanted.id] });
    });

    it('is lost when its service went away', async () => {
      const { id } = await createRun({ leaseMs: OVER });
      const alive = await createRun();
      expect(await catalog.queryRuns.sweepLost()).toEqual([{ tenantId, id }]);
      expect(await catalog.queryRuns.get(tenantId, id)).toMatchObject({
        status: 'failed',
        error: { code: 'query.lost' },
      });
      expect(await catalog.queryRuns.get(tenantId, alive.id)).toMatchObject({ status: 'queued' });
    });

    it('is forgotten when it ended long ago, but not before its result', async () => {
      const failed = await createRun();
      await catalog.queryRuns.fail({ tenantId, id: failed.id }, ERROR);
      const { queryRunId, resultId } = await createResult(catalog, owner);
      const active = await createRun();
      const ids = async () => (await catalog.queryRuns.list(tenantId, { limit: 10 })).items.map((run) => run.id);
      const purge = (olderThanMs: number) => catalog.queryRuns.purgeEnded({ olderThanMs, limit: 1_000 });
      await purge(DAY_MS);
      expect(await ids()).toEqual([active.id, queryRunId, failed.id]);
      await purge(-DAY_MS);
      expect(await ids()).toEqual([active.id, queryRunId]);
      await catalog.results.fail({ tenantId, id: resultId }, ERROR);
      await purge(-DAY_MS);
      expect(await ids()).toEqual([active.id]);
      await expect(catalog.results.get(tenantId, resultId)).rejects.toMatchObject({ code: 'result.not_found' });
    });

    it('is listed by status and by who asked', async () => {
      const { id } = await createRun();
      await catalog.queryRuns.start({ tenantId, id }, { leaseMs });
      await createRun();
      const idsOf = async (filter: object) =>
        (await catalog.queryRuns.list(tenantId, { limit: 10, ...filter })).items.map((run) => run.id);
      expect(await idsOf({ status: 'running' })).toEqual([id]);
      expect(await idsOf({ userId: owner.userId })).toHaveLength(2);
      expect(await idsOf({ userId: stranger.userId })).toEqual([]);
    });
  });

  describe('a result', () => {
    const announced = (queryRunId: QueryRunId) => ({
      ...{ tenantId, userId: owner.userId, id: newId('result'), queryRunId },
      ...{ columns: [], rowCount: 5, sizeBytes: 2 ** 40, leaseMs, expiresInMs: DAY_MS },
    });

    it('ends its query with success', async () => {
      const { id } = await createRun();
      await catalog.queryRuns.start({ tenantId, id }, { leaseMs });
      const result = announced(id);
      await catalog.results.create(result);
      expect(await catalog.results.get(tenantId, result.id)).toMatchObject({ status: 'processing', rowCount: 5 });
      expect(await catalog.queryRuns.get(tenantId, id)).toMatchObject({
        ...{ status: 'succeeded', rowCount: 5, sizeBytes: 2 ** 40, resultId: result.id, leaseUntil: null },
      });
    });

    it('is none when its query has ended, or is not there', async () => {
      const { id } = await createRun();
      await catalog.queryRuns.start({ tenantId, id }, { leaseMs });
      await catalog.queryRuns.cancel({ tenantId, id });
      for (const result of [announced(id), announced(newId('queryRun'))]) {
        await expect(catalog.results.create(result)).rejects.toMatchObject({ code: 'query.lost' });
        await expect(catalog.results.get(tenantId, result.id)).rejects.toMatchObject({ code: 'result.not_found' });
      }
      expect(await catalog.queryRuns.get(tenantId, id)).toMatchObject({ status: 'cancelled', resultId: null });
    });

    it('becomes ready once its file is stored and checked', async () => {
      const { resultId, job, blob } = await createStoredResult(catalog, owner);
      const fence = await startJob(catalog, { tenantId, jobId: job.id });
      expect(await catalog.results.getForPersist(fence)).toMatchObject({ id: resultId, ...blob, jobId: job.id });
      const stale = { ...fence, attempt: fence.attempt + 1 };
      await expect(catalog.results.getForPersist(stale)).rejects.toMatchObject({ code: 'job.lost' });
      const refused = catalog.results.commitReady(stale, { statistics: {} });
      await expect(refused).rejects.toMatchObject({ code: 'job.lost' });
      expect(await catalog.results.commitReady(fence, { statistics: { rows: 1 } })).toBe('committed');
      expect(await catalog.results.get(tenantId, resultId)).toMatchObject({
        status: 'ready',
        statistics: { rows: 1 },
        leaseUntil: null,
      });
      expect(await catalog.jobs.get(tenantId, job.id)).toMatchObject({ status: 'succeeded' });
    });

    it('fails when its job fails for good, and gives its file back', async () => {
      const { resultId, job, blob } = await createStoredResult(catalog, owner);
      const fence = await startJob(catalog, { tenantId, jobId: job.id });
      const corrupt: ErrorRecord = { code: 'result.corrupt', detail: 'The file is damaged.' };
      expect(await catalog.jobs.fail(fence, corrupt)).toBe('failed');
      const result = await catalog.results.get(tenantId, resultId);
      expect(result).toMatchObject({ status: 'failed', error: corrupt, storageKey: null });
      expect(await statusOfBlob(blob.storageKey)).toBe('unreferenced');
    });

    it('is lost when nobody stores it in time, and can not be stored after that', async () => {
      const { resultId } = await createResult(catalog, owner);
      expect(await catalog.results.extendLease({ tenantId, id: resultId }, { leaseMs: OVER })).toBe(true);
      expect(await catalog.results.sweepLost()).toEqual([{ tenantId, id: resultId }]);
      const blob = await writeBlob(catalog, tenantId);
      const job = newJob('result.persist');
      const late = catalog.results.stored({ tenantId, id: resultId }, { blob, job, leaseMs });
      await expect(late).rejects.toMatchObject({ code: 'result.lost' });
      expect(await statusOfBlob(blob.storageKey)).toBe('writing');
      await expect(catalog.jobs.get(tenantId, job.id)).rejects.toMatchObject({ code: 'job.not_found' });
    });

    it('is not lost while its job is alive', async () => {
      const { resultId } = await createStoredResult(catalog, owner);
      await catalog.results.extendLease({ tenantId, id: resultId }, { leaseMs: OVER });
      expect(await catalog.results.sweepLost()).toEqual([]);
      expect(await catalog.results.get(tenantId, resultId)).toMatchObject({ status: 'processing' });
    });

    const createReady = async (options: { expiresInMs?: number } = {}) => {
      const { resultId, job, blob } = await createStoredResult(catalog, owner, options);
      await catalog.results.commitReady(await startJob(catalog, { tenantId, jobId: job.id }), { statistics: {} });
      return { id: resultId, tenantId, blob };
    };

    it('expires, and its file goes', async () => {
      const due = await createReady({ expiresInMs: -DAY_MS });
      const fresh = await createReady();
      expect(await catalog.resultLifetimes.expireDue()).toBe(1);
      expect(await catalog.results.get(tenantId, due.id)).toMatchObject({ status: 'expired', storageKey: null });
      expect(await statusOfBlob(due.blob.storageKey)).toBe('unreferenced');
      expect(await catalog.results.get(tenantId, fresh.id)).toMatchObject({ status: 'ready' });
    });

    it('fails when its file vanished', async () => {
      const ready = await createReady();
      expect(await catalog.results.markFileMissing(ready)).toBe(true);
      expect(await catalog.results.markFileMissing(ready)).toBe(false);
      expect(await catalog.results.get(tenantId, ready.id)).toMatchObject({ error: { code: 'result.file_missing' } });
      expect(await statusOfBlob(ready.blob.storageKey)).toBe('unreferenced');
    });

    it('is read by who ran the query, and by whoever is not held to that', async () => {
      const { id } = await createReady();
      const { userId } = stranger;
      const missing = newId('result');
      expect(await catalog.results.resolve(tenantId, [id, missing], { userId: owner.userId })).toHaveLength(1);
      expect(await catalog.results.resolve(tenantId, [id])).toMatchObject([{ id, status: 'ready' }]);
      expect(await catalog.results.resolve(tenantId, [id], { userId })).toEqual([]);
      expect(await catalog.results.resolve(tenantId, [])).toEqual([]);
      await expect(catalog.results.get(tenantId, id, { userId })).rejects.toMatchObject({ code: 'result.not_found' });
      expect((await catalog.results.list(tenantId, { limit: 5, userId })).items).toEqual([]);
      expect((await catalog.results.list(tenantId, { limit: 5, status: 'ready' })).items).toHaveLength(1);
    });
  });
});
