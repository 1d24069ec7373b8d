import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_TENANT_LIMITS, newId, type ErrorRecord, type TenantId } from '@millrace/domain';
import type { Catalog, ConvertedVersion, Dataset } from '@millrace/catalog';
import {
  createDataset,
  createTenant,
  createUpload,
  openCatalog,
  startJob,
  writeBlob,
  type Owner,
  type TestCatalog,
} from '@millrace/testing';

const MISTAKE: ErrorRecord = {
  code: 'conversion.failed',
  detail: 'Line 7 has too many values.',
  errors: [{ message: 'too many values', line: 7 }],
};

describe('versions', () => {
  let opened: TestCatalog;
  let catalog: Catalog;
  let tenantId: TenantId;
  let owner: Owner;

  beforeAll(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  beforeEach(async () => {
    const tenant = await createTenant(catalog, { limits: { columnsMax: 7 } });
    ({ tenantId } = tenant);
    owner = tenant.member.principal;
  });
  afterAll(() => opened.stop());

  const jobIdOf = ({ jobId }: Dataset) => jobId ?? newId('job');
  const start = (dataset: Dataset) => startJob(catalog, { tenantId, jobId: jobIdOf(dataset) });
  const finalAttempt = (jobId: string) =>
    catalog.transaction((tx) => tx.query('UPDATE jobs SET attempts_max = 1 WHERE id = $1', [jobId]));
  const statusOfBlob = async (storageKey: string | null) =>
    (await catalog.blobs.find({ tenantId, storageKey: storageKey ?? '' }))?.status;
  const convert = async (fileCount = 1): Promise<ConvertedVersion> => ({
    files: await Promise.all(
      Array.from({ length: fileCount }, async () => ({ ...(await writeBlob(catalog, tenantId)), rowCount: 2 })),
    ),
    columns: [{ name: 'a "b"', type: 'STRUCT(x INTEGER, y VARCHAR[])', nullable: true }],
    rowCount: 2 * fileCount,
    sizeBytes: 100,
    statistics: { 'a "b"': { nulls: 1 } },
    profile: null,
  });

  it('tell a conversion everything it needs', async () => {
    const upload = await createUpload(catalog, owner);
    const dataset = await createDataset(catalog, owner, { upload });
    const fence = await start(dataset);
    expect(await catalog.versions.getForConversion(fence)).toEqual({
      tenantId,
      datasetId: dataset.id,
      versionId: dataset.latestVersionId,
      source: {
        storageKey: upload.storageKey,
        contentHash: upload.contentHash,
        sizeBytes: upload.sizeBytes,
        contentType: 'text/csv',
        contentEncoding: null,
        fileName: 'a.csv',
      },
      sourceConfig: { format: 'csv' },
      limits: { ...DEFAULT_TENANT_LIMITS, columnsMax: 7 },
    });
    const stale = catalog.versions.getForConversion({ ...fence, attempt: fence.attempt + 1 });
    await expect(stale).rejects.toMatchObject({ code: 'job.lost' });
  });

  it('become ready together with everything that follows from it', async () => {
    const upload = await createUpload(catalog, owner);
    const dataset = await createDataset(catalog, owner, { upload });
    const fence = await start(dataset);
    const converted = await convert(3);
    expect(await catalog.versions.commitReady(fence, converted)).toBe('committed');
    expect(await catalog.datasets.get(tenantId, dataset.id)).toMatchObject({
      status: 'ready',
      version: 1,
      rowCount: 6,
      sizeBytes: 100,
      columns: converted.columns,
      headVersionId: dataset.latestVersionId,
    });
    const [table] = await catalog.datasets.resolveTables(tenantId, [dataset.tableName]);
    const keysOf = (files: readonly { storageKey: string }[] = []) => files.map((file) => file.storageKey);
    expect(keysOf(table?.head?.files)).toEqual(keysOf(converted.files));
    expect(await catalog.uploads.get(tenantId, upload.id)).toMatchObject({ status: 'consumed', storageKey: null });
    expect(await statusOfBlob(upload.storageKey)).toBe('unreferenced');
    expect(await catalog.jobs.get(tenantId, fence.jobId)).toMatchObject({ status: 'succeeded', progress: 1 });
  });

  it('keep the profile of their values as it is, NUL characters and all', async () => {
    const dataset = await createDataset(catalog, owner);
    const { latestVersionId } = dataset;
    expect(await catalog.versions.findProfile(tenantId, latestVersionId)).toBeNull();
    const column = { null_count: 0, distinct_count: 1, min: 'a\0b', max: 'a\0b', mean: null, quantiles: null };
    const profile = {
      ...{ approximate: false, sampled_row_count: 1 },
      columns: [{ ...column, top_values: [{ value: 'a\0b', count: 1 }], histogram: null }],
    };
    await catalog.versions.commitReady(await start(dataset), { ...(await convert()), profile });
    expect(await catalog.versions.findProfile(tenantId, latestVersionId)).toEqual(profile);
    const stranger = await createTenant(catalog);
    expect(await catalog.versions.findProfile(stranger.tenantId, latestVersionId)).toBeNull();
  });

  it('refuse the work of an attempt that is not the current one', async () => {
    const dataset = await createDataset(catalog, owner);
    const fence = await start(dataset);
    const converted = await convert();
    const stale = catalog.versions.commitReady({ ...fence, attempt: fence.attempt - 1 }, converted);
    await expect(stale).rejects.toMatchObject({ code: 'job.lost' });
    expect(await catalog.datasets.get(tenantId, dataset.id)).toMatchObject({ status: 'processing' });
    expect(await catalog.versions.commitReady(fence, converted)).toBe('committed');
    await expect(catalog.versions.commitReady(fence, converted)).rejects.toMatchObject({ code: 'job.lost' });
  });

  it('are committed by one of two that hold the same fence', async () => {
    const dataset = await createDataset(catalog, owner);
    const fence = await start(dataset);
    const works = await Promise.all([convert(), convert()]);
    const outcomes = await Promise.allSettled(works.map((work) => catalog.versions.commitReady(fence, work)));
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('fail with the reason, and give upload and table name back', async () => {
    const upload = await createUpload(catalog, owner);
    const dataset = await createDataset(catalog, owner, { upload, tableName: 'again' });
    expect(await catalog.jobs.fail(await start(dataset), MISTAKE)).toBe('failed');
    expect(await catalog.datasets.get(tenantId, dataset.id)).toMatchObject({ status: 'failed', error: MISTAKE });
    expect(await catalog.uploads.get(tenantId, upload.id)).toMatchObject({ status: 'pending', error: MISTAKE });
    expect(await statusOfBlob(upload.storageKey)).toBe('live');
    const second = await createDataset(catalog, owner, { upload, tableName: 'again' });
    expect(await catalog.versions.commitReady(await start(second), await convert())).toBe('committed');
  });

  it('stay processing while a passing fault leaves attempts', async () => {
    const dataset = await createDataset(catalog, owner);
    const crash: ErrorRecord = { code: 'conversion.crashed', detail: 'The process ended.' };
    expect(await catalog.jobs.fail(await start(dataset), crash)).toBe('queued');
    expect(await catalog.datasets.get(tenantId, dataset.id)).toMatchObject({ status: 'processing', error: null });
  });

  it('are dropped when the dataset was deleted meanwhile, and the worker is told to stop', async () => {
    const upload = await createUpload(catalog, owner);
    const dataset = await createDataset(catalog, owner, { upload });
    const fence = await start(dataset);
    expect(await catalog.datasets.delete(tenantId, dataset.id)).toMatchObject({ status: 'running' });
    expect(await catalog.jobs.heartbeat(fence, { leaseMs: 60_000 })).toBe('cancel_requested');
    const converted = await convert();
    expect(await catalog.versions.commitReady(fence, converted)).toBe('cancelled');
    expect(await statusOfBlob(converted.files[0]?.storageKey ?? '')).toBe('deleting');
    expect(await catalog.jobs.get(tenantId, fence.jobId)).toMatchObject({ status: 'cancelled' });
    expect(await catalog.uploads.get(tenantId, upload.id)).toMatchObject({ status: 'pending' });
  });

  it('end at once when the dataset is deleted before a worker has begun', async () => {
    const upload = await createUpload(catalog, owner);
    const dataset = await createDataset(catalog, owner, { upload });
    expect(await catalog.datasets.delete(tenantId, dataset.id)).toMatchObject({ status: 'cancelled' });
    expect(await catalog.uploads.get(tenantId, upload.id)).toMatchObject({ status: 'pending' });
  });

  it('stay processing when their worker is heard of before the sweeper comes to them', async () => {
    const first = await createDataset(catalog, owner);
    const fences = [await start(first), await start(await createDataset(catalog, owner))] as const;
    await catalog.jobs.heartbeat(fences[0], { leaseMs: -2_000 });
    await catalog.jobs.heartbeat(fences[1], { leaseMs: -1_000 });
    await finalAttempt(fences[0].jobId);
    const locked = Promise.withResolvers<void>();
    const heard = Promise.withResolvers<void>();
    // The sweeper has to wait for this dataset, with the other job still before it.
    const holder = catalog.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM datasets WHERE tenant_id = $1 AND id = $2 FOR UPDATE', [tenantId, first.id]);
      locked.resolve();
      await heard.promise;
    });
    await locked.promise;
    const sweeping = catalog.jobs.sweepRunning();
    await sleep(200);
    await catalog.jobs.heartbeat(fences[1], { leaseMs: 60_000 });
    heard.resolve();
    await holder;
    expect(await sweeping).toEqual([{ tenantId, jobId: fences[0].jobId, status: 'failed' }]);
    expect(await catalog.jobs.get(tenantId, fences[1].jobId)).toMatchObject({ status: 'running', failures: 0 });
  });

  it('end well when commit and deletion race', async () => {
    for (let round = 0; round < 10; round += 1) {
      const dataset = await createDataset(catalog, owner);
      const fence = await start(dataset);
      const converted = await convert();
      const [outcome] = await Promise.all([
        catalog.versions.commitReady(fence, converted),
        catalog.datasets.delete(tenantId, dataset.id),
      ]);
      const expected = outcome === 'committed' ? 'unreferenced' : 'deleting';
      expect(await statusOfBlob(converted.files[0]?.storageKey ?? '')).toBe(expected);
    }
  });
});
