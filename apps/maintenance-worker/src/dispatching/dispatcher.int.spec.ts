import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type JobId, newId, type TenantId } from '@millrace/domain';
import { describeJob } from '@millrace/queue';
import { eventually } from '@millrace/testing';
import { MaintenanceBench } from '../../test/maintenance-bench.js';

let bench: MaintenanceBench;

beforeEach(async () => {
  bench = await MaintenanceBench.open();
});
afterEach(() => bench.close());

/** No lease ends, and nobody looks for what the queue may have lost, while a test looks. */
const LONG_LEASE = { LEASE_MS: '60000', SWEEP_INTERVAL_MS: '60000' };

/** Inserts conversions that no worker takes: they stay in the queue to be looked at. */
async function insertJobs(tenantId: TenantId, count: number): Promise<JobId[]> {
  const jobs = Array.from({ length: count }, () => ({
    id: newId('job'),
    ...describeJob('dataset.convert', { datasetId: newId('dataset'), versionId: newId('version') }),
  }));
  await bench.catalog.transaction(async (transaction) => {
    for (const job of jobs) await bench.catalog.jobs.insert(transaction, { tenantId, userId: null }, job);
  });
  return jobs.map(({ id }) => id);
}

async function messageIds(): Promise<string[]> {
  const rows = await bench.query<{ id: string }>(`SELECT id FROM bullmq.job WHERE queue = 'convert' ORDER BY id`);
  return rows.map(({ id }) => id);
}

describe('the dispatcher', () => {
  it('hands a job to the queue as soon as it is inserted, and counts it', async () => {
    const { metrics } = await bench.startWorker(LONG_LEASE);
    const { tenantId } = await bench.newOwner();
    const [id] = await insertJobs(tenantId, 1);
    await eventually('the queue has it', async () => (await messageIds()).includes(`${id}-1`));
    expect(await metrics.getSingleMetricAsString('millrace_jobs_admitted_total')).toContain(
      'kind="dataset.convert"} 1',
    );
  });

  it('takes what was inserted while nobody listened', async () => {
    const { tenantId } = await bench.newOwner();
    const [id] = await insertJobs(tenantId, 1);
    await bench.startWorker(LONG_LEASE);
    await eventually('the queue has it', async () => (await messageIds()).includes(`${id}-1`));
  });

  it('sends every job once when several instances dispatch, in turns, and keeps the queue short', async () => {
    const owners = await Promise.all(Array.from({ length: 12 }, () => bench.newOwner()));
    await Promise.all(owners.map(({ tenantId }) => insertJobs(tenantId, 5)));
    await Promise.all([1, 2, 3].map(() => bench.startWorker(LONG_LEASE)));
    await eventually('the queue is full', async () => (await messageIds()).length >= 16);
    const ids = await messageIds();
    expect(ids).toHaveLength(16);
    expect(new Set(ids).size).toBe(16);
    expect(ids.every((id) => id.endsWith('-1'))).toBe(true);
    const perTenant = await bench.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM jobs WHERE status = 'admitted' GROUP BY tenant_id`,
    );
    expect(perTenant).toHaveLength(12);
    expect(perTenant.every(({ count }) => count === 1 || count === 2)).toBe(true);
  });

  it('gives the place of a job that has ended to the next of its tenant', async () => {
    await bench.startWorker(LONG_LEASE);
    const { tenantId } = await bench.newOwner();
    await insertJobs(tenantId, 6);
    await eventually('the limit of the tenant is used up', async () => (await messageIds()).length === 4);
    // Ids of one millisecond have no order: which four went first is in the messages.
    const jobId = (await messageIds())[0]?.replace(/-1$/, '') as JobId;
    await bench.catalog.jobs.requestCancel(tenantId, jobId);
    await bench.events.publish({ type: 'job.ended', tenantId, jobId, status: 'cancelled' });
    await eventually('the fifth is there', async () => (await messageIds()).length === 5);
  });

  it('sends what the queue did not take when it is back, as the same attempt', async () => {
    await bench.startWorker(LONG_LEASE);
    await bench.query('ALTER SCHEMA bullmq RENAME TO bullmq_away');
    const { tenantId } = await bench.newOwner();
    const ids = await insertJobs(tenantId, 3);
    await eventually('it failed more than once', () => failures() >= 2);
    await bench.query('ALTER SCHEMA bullmq_away RENAME TO bullmq');
    await eventually('all are sent', async () => (await messageIds()).length === 3);
    expect(await messageIds()).toEqual(ids.map((id) => `${id}-1`).sort());
    await eventually('it says so', () => bench.lines.some((line) => line.includes('jobs are dispatched again')));
  });

  it('does not hammer on a queue that is away, however often it is woken', async () => {
    await bench.startWorker(LONG_LEASE);
    await bench.query('ALTER SCHEMA bullmq RENAME TO bullmq_away');
    const { tenantId } = await bench.newOwner();
    const startedAt = performance.now();
    while (performance.now() - startedAt < 1_500) await insertJobs(tenantId, 1);
    expect(failures()).toBeLessThanOrEqual(8);
    await bench.query('ALTER SCHEMA bullmq_away RENAME TO bullmq');
    await eventually('what may run is sent', async () => (await messageIds()).length === 4);
  });

  it('goes on after the database has ended every connection', async () => {
    await bench.startWorker(LONG_LEASE);
    const { tenantId } = await bench.newOwner();
    // Connections that are just being made have nobody yet who hears of their end.
    await eventually('all connections stand', async () => {
      const others = 'datname = current_database() AND pid <> pg_backend_pid()';
      const rows = await bench.query(
        `SELECT pid FROM pg_stat_activity WHERE ${others} AND state IS DISTINCT FROM 'idle'`,
      );
      return rows.length === 0;
    });
    await bench.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    let ids: JobId[] = [];
    await eventually('the catalog answers', () =>
      insertJobs(tenantId, 2).then(
        (inserted) => (ids = inserted),
        () => undefined,
      ),
    );
    await eventually('they are sent', async () => (await messageIds()).length >= 2);
    expect(await messageIds()).toEqual(ids.map((id) => `${id}-1`).sort());
  });

  it('admits a job again that the queue has lost', async () => {
    await bench.startWorker();
    const { tenantId } = await bench.newOwner();
    const [id] = await insertJobs(tenantId, 1);
    await eventually('the queue has it', async () => (await messageIds()).includes(`${id}-1`));
    await bench.query('DELETE FROM bullmq.job');
    await eventually('the queue has it again', async () => (await messageIds()).includes(`${id}-2`));
    expect(await bench.catalog.jobs.get(tenantId, id as JobId)).toMatchObject({ failures: 0 });
  });
});

function failures(): number {
  return bench.lines.filter((line) => line.includes('jobs could not be dispatched')).length;
}
