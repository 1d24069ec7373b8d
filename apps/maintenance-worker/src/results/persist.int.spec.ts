import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ResultKey } from '@millrace/catalog';
import { newId } from '@millrace/domain';
import { eventually } from '@millrace/testing';
import { MaintenanceBench, type Owner } from '../../test/maintenance-bench.js';
import { parquetOf } from '../../test/parquet-files.js';

let bench: MaintenanceBench;
let owner: Owner;
let oneRow: Buffer;
let twoRows: Buffer;
let twoColumns: Buffer;

beforeAll(async () => {
  bench = await MaintenanceBench.open();
  [oneRow, twoRows, twoColumns] = (await parquetOf([
    'SELECT 1 AS one',
    'SELECT unnest([1, 2]) AS one',
    'SELECT 1 AS one, 2 AS two',
  ])) as [Buffer, Buffer, Buffer];
});
beforeEach(async () => {
  owner = await bench.newOwner();
});
afterEach(async () => {
  bench.store.heal();
  await bench.expectNoOrphans();
  await bench.closeWorkers();
});
afterAll(() => bench.close());

/** Waits until a result has settled and everyone was told, and gives it. */
async function settled({ tenantId, id }: ResultKey) {
  await eventually(`result ${id} is announced`, () =>
    bench.heard.some((event) => event.type === 'result.settled' && event.resultId === id),
  );
  const result = await bench.catalog.results.get(tenantId, id);
  const told = bench.heard.filter((event) => event.type === 'result.settled' && event.resultId === id);
  expect(told).toMatchObject(told.map(() => ({ tenantId, status: result.status })));
  return result;
}

async function jobOf({ tenantId, id }: ResultKey) {
  const { jobId } = await bench.catalog.results.get(tenantId, id);
  if (!jobId) throw new Error('the result has no job');
  return bench.catalog.jobs.get(tenantId, jobId);
}

describe('result.persist', () => {
  it('makes a result ready whose file is what was written, with its statistics', async () => {
    await bench.startWorker();
    const key = await bench.storeResult(owner, oneRow);
    const result = await settled(key);
    expect(result).toMatchObject({
      status: 'ready',
      error: null,
      storageKey: expect.any(String),
      statistics: { rowCount: 1, columnCount: 1, rowGroupCount: 1, compressedBytes: expect.any(Number) },
    });
    expect(await jobOf(key)).toMatchObject({ status: 'succeeded', attempt: 1 });
  });

  it('tells of its end by the result, and not as a job', async () => {
    await bench.startWorker();
    const key = await bench.storeResult(owner, oneRow);
    await settled(key);
    await bench.closeWorkers();
    const marker = { type: 'job.ended', tenantId: key.tenantId, jobId: newId('job'), status: 'succeeded' } as const;
    await bench.events.publish(marker);
    const ofTenant = () => bench.heard.filter((event) => event.type === 'job.ended' && event.tenantId === key.tenantId);
    await eventually('the marker is heard', () => ofTenant().length > 0);
    expect(ofTenant()).toEqual([marker]);
  });

  it('keeps two results of the same bytes under one key', async () => {
    await bench.startWorker();
    const keys = [await bench.storeResult(owner, oneRow), await bench.storeResult(owner, oneRow)];
    const results = await Promise.all(keys.map(settled));
    expect(results).toMatchObject([{ status: 'ready' }, { status: 'ready', storageKey: results[0]?.storageKey }]);
  });

  const flipped = (): Buffer => {
    const bytes = Buffer.from(oneRow);
    bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
    return bytes;
  };
  it.each([
    ['a bit that changed', () => flipped(), /SHA-256/],
    ['an end that is missing', () => oneRow.subarray(0, -1), /bytes, not/],
  ])('fails a result with %s since it was written', async (_, damaged, detail) => {
    await bench.startWorker();
    const contentHash = createHash('sha256').update(oneRow).digest('hex');
    const blob = { contentHash, sizeBytes: oneRow.length };
    const result = await settled(await bench.storeResult(owner, damaged(), { blob }));
    expect(result).toMatchObject({ status: 'failed', storageKey: null, error: { code: 'result.corrupt' } });
    expect(result.error?.detail).toMatch(detail);
    const again = await settled(await bench.storeResult(owner, oneRow));
    expect(again).toMatchObject({ status: 'ready' });
  });

  it.each([
    ['no Parquet file', () => 'PAR1 and a long text that is no Parquet', /no Parquet/],
    ['too short', () => 'PAR1', /no Parquet/],
    ['an empty Parquet frame', () => 'PAR1\0\0\0\0PAR1', /no Parquet/],
    ['another number of rows', () => twoRows, /has 2 rows, not 1/],
    ['another number of columns', () => twoColumns, /has 2 columns, not 1/],
  ])('fails a result whose file has or is %s', async (_, file, detail) => {
    await bench.startWorker();
    const key = await bench.storeResult(owner, file());
    const result = await settled(key);
    expect(result).toMatchObject({ status: 'failed', storageKey: null, error: { code: 'result.corrupt' } });
    expect(result.error?.detail).toMatch(detail);
    expect(await jobOf(key)).toMatchObject({ status: 'failed', attempt: 1 });
  });

  it('fails a result whose file is missing', async () => {
    const key = await bench.storeResult(owner, oneRow);
    await bench.store.delete(key.storageKey);
    await bench.startWorker();
    expect(await settled(key)).toMatchObject({ status: 'failed', error: { code: 'result.file_missing' } });
    expect(await settled(await bench.storeResult(owner, oneRow))).toMatchObject({ status: 'ready' });
  });

  it('tries again when the store failed once', async () => {
    bench.store.fail('get', { times: 1 });
    await bench.startWorker();
    const key = await bench.storeResult(owner, oneRow);
    expect(await settled(key)).toMatchObject({ status: 'ready' });
    expect(await jobOf(key)).toMatchObject({ status: 'succeeded', attempt: 2, failures: 1 });
  });

  it('fails the result when the store never answers', async () => {
    bench.store.fail('get');
    await bench.startWorker();
    const key = await bench.storeResult(owner, oneRow, { attemptsMax: 2 });
    expect(await settled(key)).toMatchObject({ status: 'failed', error: { code: 'storage.unavailable' } });
    expect(await jobOf(key)).toMatchObject({ status: 'failed', attempt: 2, failures: 2 });
  });

  it('leaves a job that was under way at close to the next instance', async () => {
    const held = bench.store.hold('get');
    await bench.startWorker({ DRAIN_MS: '0' });
    const key = await bench.storeResult(owner, oneRow);
    await held.arrived;
    await bench.closeWorkers();
    expect(await jobOf(key)).toMatchObject({ status: 'queued', error: { code: 'job.lost' } });
    held.release();
    await bench.startWorker();
    expect(await settled(key)).toMatchObject({ status: 'ready' });
  });
});
