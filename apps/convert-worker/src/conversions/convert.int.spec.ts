import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { BlobWriter, objectKeys } from '@millrace/object-store';
import { describeJob } from '@millrace/queue';
import { eventually } from '@millrace/testing';
import { ConvertBench, type Owner } from '../../test/convert-bench.js';

let bench: ConvertBench;
let owner: Owner;
let metrics: { getSingleMetricAsString(name: string): Promise<string> };

beforeAll(async () => {
  bench = await ConvertBench.open();
  bench.housekeeper.store = bench.store;
  owner = await bench.newOwner();
  // With few heartbeats: the word of a job's end is told by whoever ends the attempt.
  ({ metrics } = await bench.startWorker({ LEASE_MS: '60000' }));
});
afterEach(async () => {
  await bench.expectNoOrphans();
  expect(await bench.localFiles()).toEqual([]);
});
afterAll(() => bench.close());

const statusOf = async (uploadId: Parameters<ConvertBench['createDataset']>[1]) =>
  bench.catalog.uploads.get(owner.tenantId, uploadId);

describe('dataset.convert', () => {
  it('turns an upload into a ready version', async () => {
    const upload = await bench.upload(owner, 'region;total\nNorth;1\nSouth;2\n', { fileName: 'sales.csv' });
    const dataset = await bench.createDataset(owner, upload.id);
    const { job, version } = await bench.ends(dataset);
    expect(job).toMatchObject({ status: 'succeeded', attempt: 1, progress: 1, error: null });
    expect(version).toMatchObject({ status: 'ready', number: 1, rowCount: 2, error: null });
    expect(version.columns?.map(({ name, type }) => [name, type])).toEqual([
      ['region', 'VARCHAR'],
      ['total', 'BIGINT'],
    ]);
    expect(version.statistics).toMatchObject({
      ...{ format: 'csv', compression: 'none', warnings: expect.any(Array) },
      dialect: { delimiter: ';', header: true },
    });
    expect(await statusOf(upload.id)).toMatchObject({ status: 'consumed', storageKey: null });
    const { tenantId, jobId } = dataset;
    await eventually('it is told', () => bench.ended.length > 0);
    expect(bench.ended).toEqual([{ type: 'job.ended', tenantId, jobId, status: 'succeeded' }]);
    const keys = (await bench.keysInStore()).filter((key) => key.includes(dataset.id));
    expect(keys).toEqual([expect.stringMatching(/\/0-[0-9a-f]{32}\.parquet$/)]);
    expect((await bench.store.find(keys[0] ?? ''))?.sizeBytes).toBe(version.sizeBytes);
  });

  it('turns the content of a request into a ready version, and its bytes go', async () => {
    const { tenantId } = owner;
    const writer = new BlobWriter(bench.store, bench.catalog.blobs, { leaseMs: 60_000 });
    const body = (async function* () {
      yield Buffer.from('[{"a": 1}, {"a": 2}]');
    })();
    const blob = await writer.write({ tenantId, storageKey: objectKeys.inline(tenantId) }, { body });
    const [id, versionId] = [newId('dataset'), newId('version')];
    const job = { id: newId('job'), ...describeJob('dataset.convert', { datasetId: id, versionId }) };
    await bench.catalog.datasets.create({
      ...{ ...owner, id, versionId, job },
      ...{ label: 'Inline', tableName: 'inline', sourceConfig: { format: 'json' }, source: { type: 'inline', blob } },
    });
    const { version } = await bench.ends({ tenantId, id, jobId: job.id });
    expect(version).toMatchObject({
      status: 'ready',
      rowCount: 2,
      rawStorageKey: null,
      statistics: { format: 'json' },
    });
    await bench.expectNoOrphans();
    expect((await bench.keysInStore()).filter((key) => key.includes('/inline/'))).toEqual([]);
  });

  it('hands on what is known about the file and what was asked for', async () => {
    const upload = await bench.upload(owner, gzipSync('a|b\n1|NA\n2|3,5\n'), { fileName: 'numbers.csv.gz' });
    const options = { delimiter: '|', null_strings: ['NA'], decimal_separator: ',', on_error: 'abort' };
    const columns = { b: { type: 'DECIMAL', precision: 12, scale: 2 } };
    const dataset = await bench.createDataset(owner, upload.id, {
      sourceConfig: { upload_id: upload.id, format: 'csv', options, columns },
    });
    const { version } = await bench.ends(dataset);
    expect(version).toMatchObject({ status: 'ready', rowCount: 2, statistics: { compression: 'gzip' } });
    expect(version.columns?.[1]).toEqual({ name: 'b', type: 'DECIMAL(12,2)', nullable: true });
  });

  it('fails for a bad file, gives upload and name back, and a second try with other options succeeds', async () => {
    const upload = await bench.upload(owner, 'id,amount\n1,2\n2,many\n', { fileName: 'a.csv' });
    const pinned = { sourceConfig: { columns: { amount: { type: 'BIGINT' } } }, tableName: 'twice' };
    const first = await bench.createDataset(owner, upload.id, pinned);
    const { job, version } = await bench.ends(first);
    expect(job).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'conversion.failed' } });
    expect(version).toMatchObject({ status: 'failed', error: job.error });
    expect(await statusOf(upload.id)).toMatchObject({ status: 'pending', error: job.error });
    const second = await bench.createDataset(owner, upload.id, { tableName: 'twice' });
    expect((await bench.ends(second)).version).toMatchObject({ status: 'ready', rowCount: 2 });
    expect(await statusOf(upload.id)).toMatchObject({ status: 'consumed', error: null });
  });

  it.each([
    ['conversion.no_rows', '', {}],
    ['conversion.column_unknown', 'a\n1\n', { columns: { b: { type: 'BIGINT' } } }],
    ['conversion.failed', 'PAR1 but no Parquet PAR1', { format: 'parquet' }],
  ])('says %s', async (code, content, sourceConfig) => {
    const dataset = await bench.uploadDataset(owner, content, { sourceConfig });
    expect(await bench.ends(dataset)).toMatchObject({
      job: { status: 'failed', attempt: 1 },
      version: { error: { code } },
    });
    expect(await metrics.getSingleMetricAsString('millrace_conversion_duration_seconds')).toContain(
      `outcome="${code}"`,
    );
  });

  it('keeps two datasets of the same content in the same bytes, each with a reference', async () => {
    const content = 'same\n1\n2\n';
    const [one, two] = [await bench.uploadDataset(owner, content), await bench.uploadDataset(owner, content)];
    await bench.ends(one);
    const { version } = await bench.ends(two);
    const references = () =>
      bench.catalog.transaction((transaction) =>
        transaction.query(
          `SELECT reference_count AS count FROM version_files JOIN blobs USING (tenant_id, storage_key)
           WHERE version_id = $1`,
          [version.id],
        ),
      );
    expect(await references()).toEqual([{ count: 2 }]);
    await bench.catalog.datasets.delete(owner.tenantId, one.id);
    expect(await references()).toEqual([{ count: 1 }]);
  });

  it('converts many at once', async () => {
    const others = await Promise.all([1, 2, 3].map(() => bench.newOwner()));
    const datasets = await Promise.all(
      others.flatMap((other) => [1, 2, 3].map((n) => bench.uploadDataset(other, `n\n${n}\n`))),
    );
    for (const dataset of datasets) expect((await bench.ends(dataset)).version.status).toBe('ready');
  });
});
