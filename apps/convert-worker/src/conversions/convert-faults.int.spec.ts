import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { VersionRepository } from '@millrace/catalog';
import { DomainError } from '@millrace/domain';
import { eventually } from '@millrace/testing';
import { ConvertBench, type Owner, type WaitingDataset } from '../../test/convert-bench.js';

let bench: ConvertBench;
let owner: Owner;

beforeAll(async () => {
  bench = await ConvertBench.open();
  bench.housekeeper.store = bench.store;
});
beforeEach(async () => {
  owner = await bench.newOwner();
});
afterEach(async () => {
  bench.store.heal();
  try {
    await bench.expectNoOrphans();
    expect(await bench.localFiles()).toEqual([]);
  } finally {
    await bench.closeWorkers();
  }
});
afterAll(() => bench.close());

const CSV = 'id,name\n1,a\n2,b\n';

const uploadOf = async ({ tenantId, id }: WaitingDataset) => {
  const { uploadId } = await bench.catalog.datasets.get(tenantId, id);
  if (!uploadId) throw new Error('the dataset has no upload');
  return bench.catalog.uploads.get(tenantId, uploadId);
};

/** A file that takes the engine some seconds. */
function longCsv(): string {
  const line = `${'0123456789'.repeat(8)},${'abcdefghij'.repeat(8)},2026-11-20 12:00:00.123,3.14159\n`;
  return `a,b,c,d\n${line.repeat(400_000)}`;
}

describe('a store that fails', () => {
  it.each([
    ['link', 'before'],
    ['putFile', 'before'],
    ['putFile', 'after'],
  ] as const)('once in %s, %s the work: the next attempt succeeds', async (call, when) => {
    bench.store.fail(call, { times: 1, when });
    await bench.startWorker();
    const dataset = await bench.uploadDataset(owner, CSV);
    const { job, version } = await bench.ends(dataset);
    expect(job).toMatchObject({ status: 'succeeded', attempt: 2, failures: 1 });
    expect(version).toMatchObject({ status: 'ready', number: 1, rowCount: 2 });
  });

  it('always: the job fails after its last attempt, and the upload can be used again', async () => {
    bench.store.fail('putFile');
    await bench.startWorker();
    const dataset = await bench.uploadDataset(owner, CSV, { attemptsMax: 2, tableName: 'kept' });
    const { job, version } = await bench.ends(dataset);
    expect(job).toMatchObject({ status: 'failed', attempt: 2, failures: 2, error: { code: 'storage.unavailable' } });
    expect(version).toMatchObject({ status: 'failed', error: { code: 'storage.unavailable' } });
    const upload = await uploadOf(dataset);
    expect(upload).toMatchObject({ status: 'pending', error: { code: 'storage.unavailable' } });
    bench.store.heal();
    const again = await bench.createDataset(owner, upload.id, { tableName: 'kept' });
    expect((await bench.ends(again)).version.status).toBe('ready');
  });

  it('has lost the source: the job fails at once, and somebody is told', async () => {
    const dataset = await bench.uploadDataset(owner, CSV);
    const { storageKey } = await uploadOf(dataset);
    await bench.store.delete(storageKey ?? '');
    await bench.startWorker();
    const { job } = await bench.ends(dataset);
    expect(job).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'storage.object_missing' } });
    expect(job.error?.detail).toContain('Send the file again');
    expect(bench.lines.find((line) => line.includes('the source of a conversion is missing'))).toContain('"error"');
    expect((await bench.ends(await bench.uploadDataset(owner, CSV))).version.status).toBe('ready');
    await bench.catalog.uploads.delete(owner.tenantId, (await uploadOf(dataset)).id);
  });
});

describe('somebody who changes their mind', () => {
  it.each(['link', 'putFile'] as const)('cancels during %s', async (call) => {
    const held = bench.store.hold(call);
    await bench.startWorker();
    const dataset = await bench.uploadDataset(owner, CSV, { tableName: 'free_again' });
    const { tenantId, jobId } = dataset;
    await held.arrived;
    await bench.catalog.jobs.requestCancel(tenantId, jobId);
    await bench.events.publish({ type: 'job.cancel_requested', tenantId, jobId });
    const { job, version } = await bench.ends(dataset);
    held.release();
    expect(job).toMatchObject({ status: 'cancelled', error: { code: 'job.cancelled' } });
    expect(version).toMatchObject({ status: 'failed', error: { code: 'job.cancelled' } });
    expect(await uploadOf(dataset)).toMatchObject({ status: 'pending' });
    await bench.ends(await bench.uploadDataset(owner, CSV, { tableName: 'free_again' }));
  });

  it('cancels while the engine works, which ends soon', async () => {
    await bench.startWorker();
    const dataset = await bench.uploadDataset(owner, longCsv());
    const { tenantId, jobId } = dataset;
    await eventually('the engine works', async () => ((await bench.jobOf(dataset)).progress ?? 0) >= 0.1);
    await bench.catalog.jobs.requestCancel(tenantId, jobId);
    await bench.events.publish({ type: 'job.cancel_requested', tenantId, jobId });
    expect((await bench.ends(dataset)).job).toMatchObject({ status: 'cancelled' });
  });

  it('deletes the dataset during its conversion', async () => {
    const held = bench.store.hold('putFile');
    await bench.startWorker();
    const dataset = await bench.uploadDataset(owner, CSV);
    const { uploadId } = await bench.catalog.datasets.get(owner.tenantId, dataset.id);
    await held.arrived;
    await bench.catalog.datasets.delete(owner.tenantId, dataset.id);
    const { job, version } = await bench.ends(dataset);
    held.release();
    expect([job.status, version.status]).toEqual(['cancelled', 'failed']);
    expect(await bench.catalog.uploads.get(owner.tenantId, uploadId as never)).toMatchObject({ status: 'pending' });
  });

  it('deletes the dataset at the last moment, when its files are stored: they go', async () => {
    const gate = commitGate(bench);
    await bench.startWorker({ LEASE_MS: '60000' }, gate);
    const dataset = await bench.uploadDataset(owner, CSV);
    await gate.arrived;
    await bench.catalog.datasets.delete(owner.tenantId, dataset.id);
    gate.release();
    const { job, version } = await bench.ends(dataset);
    expect([job.status, version.status]).toEqual(['cancelled', 'failed']);
    await eventually(
      'the files are gone',
      async () => !(await bench.keysInStore()).some((key) => key.includes(dataset.id)),
    );
  });
});

describe('an attempt', () => {
  it('ends at its deadline', async () => {
    await bench.startWorker({ CONVERT_TIMEOUT_MS: '300' });
    const dataset = await bench.uploadDataset(owner, longCsv());
    const { job } = await bench.ends(dataset);
    expect(job).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'conversion.deadline' } });
    expect(await uploadOf(dataset)).toMatchObject({ status: 'pending' });
  });

  it('that is delivered again after its end does nothing', async () => {
    await bench.startWorker();
    const dataset = await bench.uploadDataset(owner, CSV);
    await bench.ends(dataset);
    await bench.expectNoOrphans();
    const keys = await bench.keysInStore();
    bench.lines.length = 0;
    await bench.catalog.transaction((transaction) => transaction.query('DELETE FROM bullmq.job'));
    await bench.housekeeper.producer.send([{ ...dataset, kind: 'dataset.convert', attempt: 1 }]);
    await eventually('it is dropped', () => bench.lines.some((line) => line.includes('a stale delivery was dropped')));
    expect(await bench.keysInStore()).toEqual(keys);
    expect(await bench.jobOf(dataset)).toMatchObject({ status: 'succeeded', attempt: 1 });
  });

  it('that lost its claim writes nothing, and the next one succeeds', async () => {
    const held = bench.store.hold('putFile');
    // A lease whose next heartbeat is far away: one that came before the sweep would take the claim back.
    await bench.startWorker({ LEASE_MS: '60000' });
    const dataset = await bench.uploadDataset(owner, CSV);
    await held.arrived;
    await bench.catalog.transaction((transaction) =>
      transaction.query(`UPDATE jobs SET lease_until = now() - interval '1 hour' WHERE id = $1`, [dataset.jobId]),
    );
    await eventually('the next attempt has begun', async () => (await bench.jobOf(dataset)).attempt === 2);
    held.release();
    const { job, version } = await bench.ends(dataset);
    expect(job).toMatchObject({ status: 'succeeded', attempt: 2, failures: 1 });
    expect(version).toMatchObject({ status: 'ready', number: 1 });
  });

  it('whose commit was answered by a broken connection keeps what it committed', async () => {
    const gate = commitGate(bench, new DomainError('service.unavailable', 'The connection broke.'));
    gate.release();
    await bench.startWorker({}, gate);
    const dataset = await bench.uploadDataset(owner, CSV);
    const { job, version } = await bench.ends(dataset);
    expect(job).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(version).toMatchObject({ status: 'ready' });
    await bench.expectNoOrphans();
    expect((await bench.keysInStore()).filter((key) => key.includes(dataset.id))).toHaveLength(1);
  });

  it('whose file lost its lease before the commit leaves nothing behind', async () => {
    const gate = commitGate(bench);
    await bench.startWorker({ LEASE_MS: '60000' }, gate);
    const dataset = await bench.uploadDataset(owner, CSV);
    await gate.arrived;
    await bench.catalog.transaction((transaction) =>
      transaction.query(`UPDATE blobs SET due_at = now() WHERE status = 'writing'`),
    );
    await eventually(
      'the file is gone',
      async () => !(await bench.keysInStore()).some((key) => key.includes(dataset.id)),
    );
    gate.release();
    expect((await bench.ends(dataset)).job).toMatchObject({ status: 'succeeded', attempt: 2 });
  });
});

describe('a worker', () => {
  it('that closes lets a conversion end that takes not too long', async () => {
    const held = bench.store.hold('putFile');
    const worker = await bench.startWorker();
    const dataset = await bench.uploadDataset(owner, CSV);
    await held.arrived;
    const closed = worker.close();
    held.release();
    await closed;
    expect(await bench.jobOf(dataset)).toMatchObject({ status: 'succeeded', attempt: 1 });
  });

  it('that closes leaves a long conversion to the next one', async () => {
    const held = bench.store.hold('putFile');
    const worker = await bench.startWorker({ DRAIN_MS: '0' });
    const dataset = await bench.uploadDataset(owner, CSV);
    await held.arrived;
    await worker.close();
    // Queued, or admitted again by now: nobody works on it.
    const { status, error } = await bench.jobOf(dataset);
    expect([status, error?.code]).toEqual([expect.stringMatching(/^(queued|admitted)$/), 'job.lost']);
    held.release();
    await bench.startWorker();
    expect((await bench.ends(dataset)).job).toMatchObject({ status: 'succeeded', attempt: 2 });
  });

  it('does not start, and leaves nothing, when the queue is not there', async () => {
    const move = (from: string, to: string) =>
      bench.catalog.transaction((transaction) => transaction.query(`ALTER SCHEMA ${from} RENAME TO ${to}`));
    await bench.housekeeper.pause();
    await move('bullmq', 'bullmq_away');
    await expect(bench.startWorker()).rejects.toThrow();
    await move('bullmq_away', 'bullmq');
    bench.housekeeper.resume();
  });
});

/** A catalog whose commits wait, and may tell an error after they are done. */
function commitGate(
  { catalog }: ConvertBench,
  error?: Error,
): { catalog: typeof catalog; arrived: Promise<void>; release: () => void } {
  const arrival = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const versions = Object.create(catalog.versions, {
    commitReady: {
      value: async (...given: Parameters<VersionRepository['commitReady']>) => {
        arrival.resolve();
        await release.promise;
        const outcome = await catalog.versions.commitReady(...given);
        if (error) throw error;
        return outcome;
      },
    },
  }) as VersionRepository;
  const gated = Object.create(catalog, { versions: { value: versions } }) as typeof catalog;
  return { catalog: gated, arrived: arrival.promise, release: release.resolve };
}
