import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DomainError, newId, type TenantId } from '@millrace/domain';
import { CONVERT_JOB, type Catalog, type DatasetFilter } from '@millrace/catalog';
import {
  createDataset,
  createReadyDataset,
  createTenant,
  createUpload,
  newJob,
  openCatalog,
  writeBlob,
  type Owner,
  type TestCatalog,
} from '@millrace/testing';

const DAY_MS = 24 * 60 * 60_000;

describe('datasets', () => {
  let opened: TestCatalog;
  let catalog: Catalog;
  let tenantId: TenantId;
  let admin: Owner;
  let member: Owner;

  beforeAll(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  beforeEach(async () => {
    const tenant = await createTenant(catalog);
    ({ tenantId } = tenant);
    admin = tenant.admin.principal;
    member = tenant.member.principal;
  });
  afterAll(() => opened.stop());

  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'done',
      (error: unknown) => (error instanceof DomainError ? error.code : String(error)),
    );

  it('begin as processing, with an upload in use and a queued job', async () => {
    const upload = await createUpload(catalog, member);
    const dataset = await createDataset(catalog, member, { upload, tableName: 'Sales' });
    expect(dataset).toMatchObject({
      status: 'processing',
      tableName: 'Sales',
      schemaName: 'main',
      version: null,
      headVersionId: null,
      sourceType: 'upload',
      sourceConfig: { format: 'csv' },
      columns: null,
      uploadId: upload.id,
    });
    expect(await catalog.uploads.get(tenantId, upload.id)).toMatchObject({ status: 'processing' });
    expect(await catalog.jobs.get(tenantId, dataset.jobId ?? newId('job'))).toMatchObject({ status: 'queued' });
  });

  it('give a name to one of many that want it at once, without regard to case', async () => {
    const names = ['Sales', 'sales', 'SALES', 'sAlEs', 'salES', 'SaleS'];
    const codes = await Promise.all(names.map((tableName) => codeOf(createDataset(catalog, member, { tableName }))));
    expect(codes.toSorted()).toEqual(['done', ...names.slice(1).map(() => 'table_name.taken')]);
  });

  it('suggest a free name, and leave the upload of the loser usable', async () => {
    await createDataset(catalog, member, { tableName: 'sales' });
    await createDataset(catalog, member, { tableName: 'Sales_2' });
    const upload = await createUpload(catalog, member);
    const taken = createDataset(catalog, member, { tableName: 'sales', upload });
    await expect(taken).rejects.toThrow('The table name "sales" is in use. "sales_3" is free.');
    expect(await catalog.uploads.get(tenantId, upload.id)).toMatchObject({ status: 'pending' });
  });

  it('let an upload be claimed by one of many that want it at once', async () => {
    const upload = await createUpload(catalog, member);
    const codes = await Promise.all(
      Array.from({ length: 6 }, () => codeOf(createDataset(catalog, member, { upload }))),
    );
    expect(codes.toSorted()).toEqual(['done', ...Array.from({ length: 5 }, () => 'upload.in_use')]);
  });

  it('refuse uploads that are not there, not the caller’s or used up', async () => {
    const upload = await createUpload(catalog, admin);
    const from = (source: { uploadId: typeof upload.id; onlyUserId?: typeof member.userId }) =>
      catalog.datasets.create({
        tenantId,
        userId: member.userId,
        id: newId('dataset'),
        versionId: newId('version'),
        label: 'a',
        tableName: `t_${newId('job')}`,
        sourceConfig: {},
        source: { type: 'upload', ...source },
        job: newJob(CONVERT_JOB),
      });
    expect(await codeOf(from({ uploadId: newId('upload') }))).toBe('upload.unknown');
    expect(await codeOf(from({ uploadId: upload.id, onlyUserId: member.userId }))).toBe('upload.unknown');
    const { uploadId } = await createReadyDataset(catalog, member);
    expect(await codeOf(from({ uploadId: uploadId ?? newId('upload') }))).toBe('upload.consumed');
    expect(await codeOf(from({ uploadId: upload.id }))).toBe('done');
  });

  it('hold inline bytes until the conversion has ended', async () => {
    const blob = await writeBlob(catalog, tenantId);
    const job = newJob(CONVERT_JOB);
    const dataset = await catalog.datasets.create({
      tenantId,
      userId: member.userId,
      id: newId('dataset'),
      versionId: newId('version'),
      label: 'inline',
      tableName: 'inline',
      sourceConfig: { format: 'csv' },
      source: { type: 'inline', blob },
      job,
    });
    expect(await catalog.blobs.find({ tenantId, storageKey: blob.storageKey })).toMatchObject({ status: 'live' });
    await catalog.jobs.requestCancel(tenantId, job.id);
    expect(await catalog.datasets.get(tenantId, dataset.id)).toMatchObject({ status: 'failed' });
    expect(await catalog.blobs.find({ tenantId, storageKey: blob.storageKey })).toMatchObject({
      status: 'unreferenced',
    });
  });

  it('are found by a part of the label and the beginning of the table name, taken literally', async () => {
    const { id } = await createDataset(catalog, member, { tableName: 'North_Sales' });
    await createDataset(catalog, member, { tableName: 'NorthXSales' });
    const idsOf = async (filter: DatasetFilter) =>
      (await catalog.datasets.list(tenantId, { limit: 10, ...filter })).items.map((dataset) => dataset.id);
    expect(await idsOf({ labelContains: 'TH_S' })).toEqual([id]);
    expect(await idsOf({ tableNamePrefix: 'north_' })).toEqual([id]);
    expect(await idsOf({ tableNamePrefix: 'sales' })).toEqual([]);
    expect(await idsOf({})).toHaveLength(2);
  });

  it('are renamed, unless the name is taken', async () => {
    const { id } = await createDataset(catalog, member, { tableName: 'old' });
    await createDataset(catalog, member, { tableName: 'other' });
    const taken = catalog.datasets.update(tenantId, id, { tableName: 'OTHER' });
    await expect(taken).rejects.toThrow('"OTHER_2" is free');
    const renamed = await catalog.datasets.update(tenantId, id, { tableName: 'new', label: 'New' });
    expect(renamed).toMatchObject({ tableName: 'new', label: 'New' });
    await createDataset(catalog, member, { tableName: 'old' });
  });

  it('are resolved to exact files, as they were named', async () => {
    const dataset = await createReadyDataset(catalog, member, { tableName: 'Sales' });
    await createDataset(catalog, member, { tableName: 'unfinished' });
    const tables = await catalog.datasets.resolveTables(tenantId, ['SALES', 'unfinished', 'none']);
    const [sales, unfinished] = tables.toSorted((a, b) => a.tableName.localeCompare(b.tableName));
    expect(tables).toHaveLength(2);
    expect(sales).toMatchObject({ name: 'SALES', tableName: 'Sales', datasetId: dataset.id });
    expect(sales?.head).toMatchObject({ number: 1, rowCount: 3, versionId: dataset.headVersionId });
    expect(sales?.head?.files).toEqual([
      {
        storageKey: expect.stringContaining(`t/${tenantId}/`),
        contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        sizeBytes: expect.any(Number),
        rowCount: 3,
      },
    ]);
    expect(unfinished?.head).toBeUndefined();
    expect(await catalog.datasets.findSimilarNames(tenantId, 'slaes', 3)).toEqual(['Sales']);
    expect(await catalog.datasets.findSimilarNames(tenantId, 'customers', 3)).toEqual([]);
  });

  it('are listed by name once they can be read, so many at most, and all are counted', async () => {
    await expect(catalog.datasets.listTables(tenantId, 10)).resolves.toEqual({ tables: [], totalCount: 0 });
    for (const tableName of ['b', 'C', 'a']) await createReadyDataset(catalog, member, { tableName });
    await createDataset(catalog, member, { tableName: 'unfinished' });
    const { tables, totalCount } = await catalog.datasets.listTables(tenantId, 2);
    expect(tables.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(tables[0]?.columns).toEqual(expect.arrayContaining([expect.objectContaining({ type: expect.any(String) })]));
    expect(totalCount).toBe(3);
    await expect(catalog.datasets.listTables(tenantId, 0)).resolves.toEqual({ tables: [], totalCount: 3 });
  });

  it('are hidden at once when they are deleted, and give name and files back', async () => {
    const dataset = await createReadyDataset(catalog, member, { tableName: 'gone' });
    const [table] = await catalog.datasets.resolveTables(tenantId, ['gone']);
    const storageKey = table?.head?.files[0]?.storageKey ?? '';
    await catalog.datasets.delete(tenantId, dataset.id);
    expect(await codeOf(catalog.datasets.get(tenantId, dataset.id))).toBe('dataset.not_found');
    expect(await codeOf(catalog.datasets.delete(tenantId, dataset.id))).toBe('dataset.not_found');
    expect((await catalog.datasets.list(tenantId, { limit: 10 })).items).toEqual([]);
    expect(await catalog.datasets.resolveTables(tenantId, ['gone'])).toEqual([]);
    expect(await catalog.blobs.find({ tenantId, storageKey })).toMatchObject({ status: 'unreferenced' });
    await createDataset(catalog, member, { tableName: 'gone' });
  });

  it('keep files that another dataset has, too', async () => {
    const first = await createReadyDataset(catalog, member, { tableName: 'first' });
    const [table] = await catalog.datasets.resolveTables(tenantId, ['first']);
    const storageKey = table?.head?.files[0]?.storageKey ?? '';
    await catalog.blobs.pin({ tenantId, storageKeys: [storageKey], holder: 'q', leaseMs: DAY_MS });
    const blob = await catalog.blobs.find({ tenantId, storageKey });
    const again = await writeBlob(catalog, tenantId);
    const copy = { ...again, contentHash: blob?.contentHash ?? '' };
    await catalog.transaction((tx) => catalog.blobs.commitWritten(tx, { tenantId, ...copy }));
    await catalog.datasets.delete(tenantId, first.id);
    expect(await catalog.blobs.find({ tenantId, storageKey })).toMatchObject({ status: 'live', referenceCount: 1 });
  });

  it('are forgotten when they failed or were deleted long ago, and only then', async () => {
    const failed = await createDataset(catalog, member);
    await catalog.jobs.requestCancel(tenantId, failed.jobId ?? newId('job'));
    const deleted = await createReadyDataset(catalog, member);
    await catalog.datasets.delete(tenantId, deleted.id);
    const ready = await createReadyDataset(catalog, member);
    await catalog.datasets.sweep({ olderThanMs: DAY_MS, limit: 100 });
    expect(await catalog.datasets.get(tenantId, failed.id)).toMatchObject({ status: 'failed' });
    await catalog.datasets.sweep({ olderThanMs: -1_000, limit: 100 });
    expect(await codeOf(catalog.datasets.get(tenantId, failed.id))).toBe('dataset.not_found');
    expect(await catalog.datasets.get(tenantId, ready.id)).toMatchObject({ status: 'ready' });
  });
});
