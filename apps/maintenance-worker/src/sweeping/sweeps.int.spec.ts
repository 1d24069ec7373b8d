import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { describeJob } from '@millrace/queue';
import { admitJob, createResult, eventually, startJob, startQuery } from '@millrace/testing';
import { MaintenanceBench, type Owner } from '../../test/maintenance-bench.js';
import { parquetOf } from '../../test/parquet-files.js';

const DAY_MS = 24 * 60 * 60_000;

let bench: MaintenanceBench;
let owner: Owner;

beforeEach(async () => {
  bench = await MaintenanceBench.open();
  owner = await bench.newOwner();
});
afterEach(async () => {
  await bench.expectNoOrphans();
  await bench.close();
});

async function newUpload(expiresInMs: number) {
  const blob = await bench.write(owner, `upload ${Math.random()}`);
  return bench.catalog.uploads.commit({ ...owner, blob, expiresInMs });
}

/** A dataset that waits for a conversion; no worker is there to do it. */
async function newDataset(attemptsMax = 3) {
  const upload = await newUpload(DAY_MS);
  const [id, versionId] = [newId('dataset'), newId('version')];
  const job = { id: newId('job'), ...describeJob('dataset.convert', { datasetId: id, versionId }), attemptsMax };
  const tableName = `t_${id.slice(-8)}`;
  const source = { type: 'upload', uploadId: upload.id } as const;
  await bench.catalog.datasets.create({
    ...{ ...owner, id, versionId, tableName, source, job },
    label: 'A label',
    sourceConfig: { format: 'csv' },
  });
  return { id, versionId, jobId: job.id, uploadId: upload.id };
}

const wasTold = (type: string, id: string, status: string) =>
  eventually(`${type} ${status} of ${id} is told`, () =>
    bench.heard.some((event) => event.type === type && JSON.stringify(event).includes(`"${id}","status":"${status}"`)),
  );

describe('the sweepers', () => {
  it('expire uploads that nobody used in time, and their bytes go', async () => {
    const [due, later] = [await newUpload(50), await newUpload(DAY_MS)];
    await bench.startWorker();
    const { tenantId } = owner;
    const statusOf = async ({ id }: typeof due) => (await bench.catalog.uploads.get(tenantId, id)).status;
    await eventually('it has expired', async () => (await statusOf(due)) === 'expired');
    expect(await statusOf(later)).toBe('pending');
    await eventually('its bytes are gone', async () => (await bench.keysInStore()).length === 1);
  });

  it('expire results, and their files go', async () => {
    const [file = Buffer.alloc(0)] = await parquetOf(['SELECT 1 AS one']);
    const key = await bench.storeResult(owner, file, { expiresInMs: DAY_MS });
    await bench.startWorker();
    const statusOf = async () => (await bench.catalog.results.get(key.tenantId, key.id)).status;
    await eventually('it is ready', async () => (await statusOf()) === 'ready');
    await bench.query('UPDATE results SET expires_at = now() WHERE id = $1', [key.id]);
    await eventually('it has expired', async () => (await statusOf()) === 'expired');
    await eventually('its file is gone', async () => (await bench.keysInStore()).length === 0);
  });

  it('fail the runs of a query service that went away, and the results it did not store', async () => {
    const { tenantId } = owner;
    const running = await startQuery(bench.catalog, owner, { leaseMs: 50 });
    const { resultId } = await createResult(bench.catalog, owner, { leaseMs: 50 });
    await bench.startWorker();
    await wasTold('result.settled', resultId, 'failed');
    const result = await bench.catalog.results.get(tenantId, resultId);
    expect([result.status, result.error?.code]).toEqual(['failed', 'result.lost']);
    const statusOf = async () => (await bench.catalog.queryRuns.get(tenantId, running)).status;
    await eventually('the run has failed', async () => (await statusOf()) === 'failed');
    expect(await bench.catalog.queryRuns.get(tenantId, running)).toMatchObject({ error: { code: 'query.lost' } });
  });

  it('fail a result that waits for nobody any more', async () => {
    const { tenantId } = owner;
    const { queryRunId, resultId } = await createResult(bench.catalog, owner, { leaseMs: 50 });
    await bench.catalog.queryRuns.succeed({ tenantId, id: queryRunId }, { rowCount: 1 });
    await bench.startWorker();
    await wasTold('result.settled', resultId, 'failed');
    expect((await bench.catalog.queryRuns.get(tenantId, queryRunId)).status).toBe('succeeded');
  });

  it('give a job whose worker went away its next attempt, and fail it after the last', async () => {
    const { tenantId } = owner;
    const { id, jobId, uploadId } = await newDataset(2);
    const first = await startJob(bench.catalog, { tenantId, jobId }, { leaseMs: 50 });
    await bench.startWorker({ LEASE_MS: '60000' });
    const job = () => bench.catalog.jobs.get(tenantId, jobId);
    await eventually('it is admitted again', async () => (await job()).attempt === 2);
    expect(await job()).toMatchObject({ failures: 1, status: 'admitted' });
    await bench.catalog.jobs.start({ ...first, attempt: 2 }, { leaseMs: 50 });
    await wasTold('job.ended', jobId, 'failed');
    expect(await job()).toMatchObject({ failures: 2, status: 'failed', error: { code: 'job.lost' } });
    expect(await bench.catalog.datasets.get(tenantId, id)).toMatchObject({ status: 'failed' });
    expect(await bench.catalog.uploads.get(tenantId, uploadId)).toMatchObject({ status: 'pending' });
  });

  it('tell of the result whose job was lost for good', async () => {
    const key = await bench.storeResult(owner, 'never looked at', { attemptsMax: 1 });
    const { tenantId, id } = key;
    const { jobId } = await bench.catalog.results.get(tenantId, id);
    if (!jobId) throw new Error('the result has no job');
    await startJob(bench.catalog, { tenantId, jobId }, { leaseMs: 50 });
    await bench.startWorker();
    await wasTold('job.ended', jobId, 'failed');
    await wasTold('result.settled', id, 'failed');
    expect(await bench.catalog.results.get(tenantId, id)).toMatchObject({ error: { code: 'job.lost' } });
  });

  it('put a job back that no worker started, without a failure', async () => {
    const { tenantId } = owner;
    const { jobId } = await newDataset();
    await admitJob(bench.catalog, { tenantId, jobId }, { leaseMs: 50 });
    await bench.startWorker();
    await eventually('it is admitted again', async () => (await bench.catalog.jobs.get(tenantId, jobId)).attempt >= 2);
    expect(await bench.catalog.jobs.get(tenantId, jobId)).toMatchObject({ failures: 0, error: null });
  });

  it('forget failed datasets and ended jobs when they are old enough', async () => {
    const { tenantId } = owner;
    const [failed, waiting] = [await newDataset(), await newDataset()];
    await bench.catalog.jobs.requestCancel(tenantId, failed.jobId);
    await bench.startWorker({ FAILED_DATASET_RETENTION_MS: '1000', HISTORY_RETENTION_MS: '1000' });
    expect(await bench.catalog.datasets.get(tenantId, failed.id)).toMatchObject({ status: 'failed' });
    const isForgotten = (find: Promise<unknown>, code: string) =>
      find.then(
        () => false,
        (error: unknown) => (error as { code: string }).code === code,
      );
    await eventually('the dataset is forgotten', () =>
      isForgotten(bench.catalog.datasets.get(tenantId, failed.id), 'dataset.not_found'),
    );
    await eventually('the job is forgotten', () =>
      isForgotten(bench.catalog.jobs.get(tenantId, failed.jobId), 'job.not_found'),
    );
    expect(await bench.catalog.datasets.get(tenantId, waiting.id)).toMatchObject({ status: 'processing' });
  });

  it('forget idempotency keys when their time is over', async () => {
    const { tenantId } = owner;
    const take = (digit: string, retentionMs: number) =>
      bench.catalog.idempotencyKeys.claim(
        { tenantId, keyHash: digit.repeat(64) },
        { fingerprint: 'f'.repeat(64), leaseMs: 1, retentionMs },
      );
    await take('a', 1);
    await take('b', DAY_MS);
    await bench.startWorker();
    const left = () => bench.query<{ hash: string }>('SELECT key_hash AS hash FROM idempotency_keys');
    await eventually('one is forgotten', async () => (await left()).length === 1);
    expect(await left()).toEqual([{ hash: 'b'.repeat(64) }]);
  });

  it('go on when one of them fails, which is logged and counted', async () => {
    await bench.query('ALTER TABLE query_runs RENAME COLUMN lease_until TO lease_gone');
    const { id } = await newUpload(50);
    const { metrics } = await bench.startWorker();
    const isExpired = async () => (await bench.catalog.uploads.get(owner.tenantId, id)).status === 'expired';
    await eventually('the upload has expired', isExpired);
    const sweeps = () => metrics.getSingleMetricAsString('millrace_sweeps_total');
    await eventually('it failed twice', async () => /query_runs.lose",outcome="failed"} [2-9]/.test(await sweeps()));
    await eventually('others go on', async () => /uploads.expire",outcome="done"}/.test(await sweeps()));
    expect(bench.lines.find((line) => line.includes('a sweep failed'))).toContain('query_runs.lose');
    await bench.query('ALTER TABLE query_runs RENAME COLUMN lease_gone TO lease_until');
    await eventually('it works again', async () => /query_runs.lose",outcome="done"}/.test(await sweeps()));
  });

  it('end each thing once when two instances sweep', async () => {
    const uploads = await Promise.all(Array.from({ length: 150 }, () => newUpload(1)));
    const workers = await Promise.all([bench.startWorker(), bench.startWorker()]);
    await eventually('all bytes are gone', async () => (await bench.keysInStore()).length === 0);
    const counts = await Promise.all(
      workers.map(async ({ metrics }) => metrics.getSingleMetricAsString('millrace_swept_rows_total')),
    );
    const expired = counts.map((text) => Number(/uploads.expire"} (\d+)/.exec(text)?.[1] ?? 0));
    expect(expired.reduce((sum, count) => sum + count, 0)).toBe(uploads.length);
  });
});
