import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CONVERT_JOB, type Catalog, type Dataset } from '@millrace/catalog';
import { newId, type TenantId, type UploadId } from '@millrace/domain';
import {
  createTenant,
  newJob,
  openCatalog,
  startJob,
  writeBlob,
  type Owner,
  type TestCatalog,
} from '@millrace/testing';

const COLUMNS = [{ name: 'a', type: 'BIGINT', nullable: false }];
const PROFILE = { approximate: false, sampled_row_count: 2, columns: [] };

describe('a file that was converted before', () => {
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

  interface Sent {
    readonly content?: string;
    readonly fileName?: string;
    readonly contentType?: string;
    readonly readingKey?: string | undefined;
    readonly isInline?: boolean;
  }
  const upload = async ({
    content = 'a\n1\n',
    fileName = 'a.csv',
    contentType = 'text/csv',
  }: Sent): Promise<UploadId> => {
    const blob = await writeBlob(catalog, tenantId, { content });
    const { userId } = owner;
    const expiresInMs = 60_000;
    return (await catalog.uploads.commit({ tenantId, userId, blob, contentType, fileName, expiresInMs })).id;
  };
  const create = async (sent: Sent = {}): Promise<Dataset> => {
    const { content = 'a\n1\n', isInline = false } = sent;
    const readingKey = 'readingKey' in sent ? sent.readingKey : 'as csv';
    const ids = { id: newId('dataset'), versionId: newId('version') };
    const source = isInline
      ? ({ type: 'inline', blob: await writeBlob(catalog, tenantId, { content }) } as const)
      : ({ type: 'upload', uploadId: await upload(sent) } as const);
    const names = { label: 'a', tableName: `t_${newId('job')}` };
    const job = newJob(CONVERT_JOB);
    return catalog.datasets.create({ ...owner, ...ids, ...names, source, sourceConfig: {}, readingKey, job });
  };
  const convert = async (dataset: Dataset, { isRemembered = true } = {}) => {
    const fileCount = 2;
    const fence = await startJob(catalog, { tenantId, jobId: dataset.jobId ?? newId('job') });
    const blobs = await Promise.all(Array.from({ length: fileCount }, () => writeBlob(catalog, tenantId)));
    const files = blobs.map((blob) => ({ ...blob, rowCount: 1 }));
    const statistics = { format: 'csv', warnings: ['Careful.'] };
    const table = { columns: COLUMNS, rowCount: fileCount, sizeBytes: 10, statistics, profile: PROFILE };
    await catalog.versions.commitReady(fence, {
      ...{ files, ...table },
      readingKey: isRemembered ? 'as csv' : undefined,
    });
    return files;
  };
  const filesOf = async ({ tableName }: Dataset) =>
    (await catalog.datasets.resolveTables(tenantId, [tableName]))[0]?.head?.files.map((file) => file.storageKey);
  const blobOf = (storageKey = '') => catalog.blobs.find({ tenantId, storageKey });

  it('is the same table at once, and its upload is used up', async () => {
    const files = await convert(await create());
    const again = await create({ fileName: 'another (1).CSV' });
    expect(again).toMatchObject({
      ...{
        status: 'ready',
        version: 1,
        rowCount: 2,
        sizeBytes: 10,
        columns: COLUMNS,
        jobId: null,
        sourceType: 'upload',
      },
      statistics: { format: 'csv', warnings: ['Careful.'], reused: true },
    });
    expect(await filesOf(again)).toEqual(files.map((file) => file.storageKey));
    for (const { storageKey } of files) expect(await blobOf(storageKey)).toMatchObject({ referenceCount: 2 });
    const used = await catalog.uploads.get(tenantId, again.uploadId ?? newId('upload'));
    expect(used).toMatchObject({ status: 'consumed', storageKey: null });
    const [version] = await catalog.datasets.resolveTables(tenantId, [again.tableName]);
    expect(await catalog.versions.findProfile(tenantId, version?.head?.versionId ?? newId('version'))).toEqual(PROFILE);
    expect(await create()).toMatchObject({ status: 'ready' });
  });

  it('is the same table when it comes with the request, and its raw bytes are given back', async () => {
    await convert(await create({ isInline: true, content: 'inline' }));
    const again = await create({ isInline: true, content: 'inline' });
    expect(again).toMatchObject({ status: 'ready', sourceType: 'inline', jobId: null });
    const live = await catalog.transaction((tx) =>
      tx.query(`SELECT 1 FROM blobs WHERE tenant_id = $1 AND status = 'live'`, [tenantId]),
    );
    expect(live).toHaveLength(2);
  });

  it.each<[string, Sent]>([
    ['other bytes', { content: 'a\n2\n' }],
    ['another extension', { fileName: 'a.json' }],
    ['another content type', { contentType: 'application/json' }],
    ['another reading', { readingKey: 'as json' }],
    ['a reading that is not remembered', { readingKey: undefined }],
  ])('is converted again with %s', async (_, other) => {
    await convert(await create());
    expect(await create(other)).toMatchObject({ status: 'processing' });
  });

  it('is converted again when its conversion is not to be remembered, has not ended or has failed', async () => {
    await convert(await create(), { isRemembered: false });
    const pending = await create();
    expect(pending).toMatchObject({ status: 'processing' });
    const fence = await startJob(catalog, { tenantId, jobId: pending.jobId ?? newId('job') });
    await catalog.jobs.fail(fence, { code: 'conversion.failed', detail: 'No.' });
    expect(await create()).toMatchObject({ status: 'processing' });
  });

  it('is converted again in another tenant', async () => {
    await convert(await create());
    const elsewhere = await createTenant(catalog);
    ({ tenantId } = elsewhere);
    owner = elsewhere.member.principal;
    expect(await create()).toMatchObject({ status: 'processing' });
  });

  it('keeps its files when the dataset that was first is deleted, and is converted again without any', async () => {
    const first = await create();
    const [file] = await convert(first);
    const again = await create();
    await catalog.datasets.delete(tenantId, first.id);
    expect(await blobOf(file?.storageKey)).toMatchObject({ status: 'live', referenceCount: 1 });
    expect(await create()).toMatchObject({ status: 'ready' });
    for (const { id } of (await catalog.datasets.list(tenantId, { limit: 10 })).items) {
      await catalog.datasets.delete(tenantId, id);
    }
    expect(await blobOf(file?.storageKey)).toMatchObject({ status: 'unreferenced' });
    expect(again.status).toBe('ready');
    expect(await create()).toMatchObject({ status: 'processing' });
  });

  it('is converted again when one of the files is known to be lost', async () => {
    const [, second] = await convert(await create());
    await catalog.blobs.markLost({ tenantId, storageKey: second?.storageKey ?? '' });
    expect(await create()).toMatchObject({ status: 'processing' });
  });

  it('has its files when the first dataset is deleted at the same moment', async () => {
    for (let round = 0; round < 10; round += 1) {
      const content = `round ${round}`;
      const first = await create({ content });
      const files = await convert(first);
      const [again] = await Promise.all([create({ content }), catalog.datasets.delete(tenantId, first.id)]);
      const [expected, count] = again.status === 'ready' ? ['live', 1] : ['unreferenced', 0];
      for (const { storageKey } of files) {
        expect(await blobOf(storageKey)).toMatchObject({ status: expected, referenceCount: count });
      }
      // Its job, if it has one, would take a place from that of the next round.
      await catalog.datasets.delete(tenantId, again.id);
    }
  });
});
