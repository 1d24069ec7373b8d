import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { MaintenanceBench } from '../test/maintenance-bench.js';

/** A worker that takes jobs has ended one long before. */
const JOB_MS = 1_000;

describe('a maintenance worker that closes', () => {
  let bench: MaintenanceBench;

  beforeEach(async () => {
    bench = await MaintenanceBench.open();
  });
  afterEach(() => bench.close());

  const isSweepWaiting = async () =>
    (await bench.query(`SELECT pid FROM pg_locks WHERE relation = 'uploads'::regclass AND NOT granted`)).length > 0;

  it('takes no more jobs at once, while a sweep still ends', async () => {
    const owner = await bench.newOwner();
    const worker = await bench.startWorker();
    let closed = Promise.resolve();
    await bench.catalog.transaction(async (transaction) => {
      await transaction.query('LOCK TABLE uploads');
      await eventually('a sweep waits', isSweepWaiting);
      closed = worker.close();
      const { tenantId, id } = await bench.storeResult(owner, 'no Parquet');
      await sleep(JOB_MS);
      expect(await bench.catalog.results.get(tenantId, id)).toMatchObject({ status: 'processing' });
    });
    await closed;
  });
});
