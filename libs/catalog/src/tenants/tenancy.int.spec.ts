import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFAULT_TENANT_LIMITS, newId } from '@millrace/domain';
import type { Catalog, Dataset, Upload } from '@millrace/catalog';
import {
  admitJob,
  createCaller,
  createDataset,
  createReadyDataset,
  createStoredResult,
  createTenant,
  createUpload,
  newJob,
  openCatalog,
  writeBlob,
  type TestCatalog,
  type TestTenant,
} from '@millrace/testing';

const leaseMs = 60_000;
const hashOf = (apiKey: string) => createHash('sha256').update(apiKey).digest();

describe('tenants', () => {
  let opened: TestCatalog;
  let catalog: Catalog;

  beforeAll(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  afterAll(() => opened.stop());

  it('have the default limits but for what they override', async () => {
    const { tenantId } = await createTenant(catalog, { limits: { queryTimeoutMs: 5 } });
    expect(await catalog.tenants.limitsOf(tenantId)).toEqual({ ...DEFAULT_TENANT_LIMITS, queryTimeoutMs: 5 });
    await expect(catalog.tenants.limitsOf(newId('tenant'))).rejects.toMatchObject({ code: 'auth.invalid' });
  });

  it('are told by their keys, until those are revoked', async () => {
    const { tenantId, admin, member } = await createTenant(catalog);
    const reader = await createCaller(catalog, tenantId, { role: 'member', scopes: ['datasets:read'] });
    for (const { apiKey, principal } of [admin, member, reader]) {
      expect(await catalog.keys.findPrincipal(hashOf(apiKey))).toEqual(principal);
    }
    expect(await catalog.keys.findPrincipal(hashOf('mr_unknown'))).toBeUndefined();
    const { apiKeyId } = reader.principal;
    expect(await catalog.keys.revoke((await createTenant(catalog)).tenantId, apiKeyId)).toBe(false);
    expect(await catalog.keys.revoke(tenantId, apiKeyId)).toBe(true);
    expect(await catalog.keys.revoke(tenantId, apiKeyId)).toBe(false);
    expect(await catalog.keys.findPrincipal(hashOf(reader.apiKey))).toBeUndefined();
  });

  describe('never see or touch what belongs to another', () => {
    let owner: TestTenant;
    let other: TestTenant;
    let upload: Upload;
    let dataset: Dataset;

    beforeAll(async () => {
      owner = await createTenant(catalog);
      other = await createTenant(catalog);
      upload = await createUpload(catalog, owner.member.principal, { content: 'shared bytes' });
      dataset = await createReadyDataset(catalog, owner.member.principal, { tableName: 'private' });
    });

    it('uploads', async () => {
      const { tenantId } = other;
      const unknown = { code: 'upload.not_found' };
      await expect(catalog.uploads.get(tenantId, upload.id)).rejects.toMatchObject(unknown);
      await expect(catalog.uploads.delete(tenantId, upload.id)).rejects.toMatchObject(unknown);
      expect((await catalog.uploads.list(tenantId, { limit: 10 })).items).toEqual([]);
      const claim = createDataset(catalog, other.admin.principal, { upload });
      await expect(claim).rejects.toMatchObject({ code: 'upload.unknown' });
      expect(await catalog.uploads.get(owner.tenantId, upload.id)).toMatchObject({ status: 'pending' });
    });

    it('datasets, their versions and names', async () => {
      const { tenantId } = other;
      const unknown = { code: 'dataset.not_found' };
      await expect(catalog.datasets.get(tenantId, dataset.id)).rejects.toMatchObject(unknown);
      await expect(catalog.datasets.update(tenantId, dataset.id, { label: 'mine' })).rejects.toMatchObject(unknown);
      await expect(catalog.datasets.delete(tenantId, dataset.id)).rejects.toMatchObject(unknown);
      expect((await catalog.datasets.list(tenantId, { limit: 10 })).items).toEqual([]);
      expect(await catalog.datasets.resolveTables(tenantId, ['private'])).toEqual([]);
      expect(await catalog.datasets.findSimilarNames(tenantId, 'privat', 5)).toEqual([]);
      await createDataset(catalog, other.admin.principal, { tableName: 'private' });
    });

    it('jobs', async () => {
      const { tenantId } = other;
      const job = newJob('test.work');
      await catalog.transaction((tx) => catalog.jobs.insert(tx, { tenantId: owner.tenantId, userId: null }, job));
      const unknown = { code: 'job.not_found' };
      await expect(catalog.jobs.get(tenantId, job.id)).rejects.toMatchObject(unknown);
      await expect(catalog.jobs.requestCancel(tenantId, job.id)).rejects.toMatchObject(unknown);
      const { items } = await catalog.jobs.list(tenantId, { limit: 10 });
      expect(items.map((item) => item.tenantId)).not.toContain(owner.tenantId);
      const fence = await admitJob(catalog, { tenantId: owner.tenantId, jobId: job.id });
      expect(await catalog.jobs.start({ ...fence, tenantId }, { leaseMs })).toBeUndefined();
      expect(await catalog.jobs.heartbeat({ ...fence, tenantId }, { leaseMs })).toBe('lost');
      await expect(catalog.jobs.succeed({ ...fence, tenantId })).rejects.toMatchObject(unknown);
    });

    it('query runs and results', async () => {
      const { tenantId } = other;
      const { resultId: id } = await createStoredResult(catalog, owner.member.principal);
      const { queryRunId } = await catalog.results.get(owner.tenantId, id);
      await expect(catalog.results.get(tenantId, id)).rejects.toMatchObject({ code: 'result.not_found' });
      expect(await catalog.results.resolve(tenantId, [id])).toEqual([]);
      expect((await catalog.results.list(tenantId, { limit: 10 })).items).toEqual([]);
      expect(await catalog.results.fail({ tenantId, id }, { code: 'internal', detail: 'no' })).toBe(false);
      expect(await catalog.results.extendLease({ tenantId, id }, { leaseMs })).toBe(false);
      const unknown = { code: 'query.not_found' };
      await expect(catalog.queryRuns.get(tenantId, queryRunId)).rejects.toMatchObject(unknown);
      await expect(catalog.queryRuns.requestCancel(tenantId, queryRunId)).rejects.toMatchObject(unknown);
      expect((await catalog.queryRuns.list(tenantId, { limit: 10 })).items).toEqual([]);
      expect(await catalog.queryRuns.cancel({ tenantId, id: queryRunId })).toBe(false);
      expect(await catalog.queryRuns.countActive(tenantId)).toBe(0);
      const { lost } = await catalog.queryRuns.extendLeases([{ tenantId, id: queryRunId }], { leaseMs });
      expect(lost).toEqual([queryRunId]);
    });

    it('bytes, not even equal ones', async () => {
      const { tenantId } = other;
      const storageKey = upload.storageKey ?? '';
      expect(await catalog.blobs.find({ tenantId, storageKey })).toBeUndefined();
      const pin = catalog.blobs.pin({ tenantId, storageKeys: [storageKey], holder: 'thief', leaseMs });
      await expect(pin).rejects.toMatchObject({ code: 'storage.object_missing' });
      await expect(
        catalog.transaction((tx) => catalog.blobs.release(tx, { tenantId, storageKey })),
      ).rejects.toBeDefined();
      const written = await writeBlob(catalog, tenantId, { content: 'shared bytes' });
      const reference = await catalog.transaction((tx) => catalog.blobs.commitWritten(tx, { tenantId, ...written }));
      expect(reference).toEqual({ storageKey: written.storageKey, deduplicated: false });
    });
  });
});
