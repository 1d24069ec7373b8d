import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JobFence, TenantId } from '@millrace/domain';
import { admitJob, createTenant, newJob, openCatalog, type TestCatalog } from '@millrace/testing';

const LEASE_MS = 60_000;
const LIMIT = 100;

describe('jobs that wait in the queue', () => {
  let opened: TestCatalog;
  let tenantId: TenantId;

  beforeAll(async () => {
    opened = await openCatalog();
    ({ tenantId } = await createTenant(opened.catalog));
  });
  afterAll(() => opened.stop());

  const jobs = () => opened.catalog.jobs;
  const admit = async (leaseMs = LEASE_MS): Promise<JobFence> => {
    const job = newJob('test.work');
    await opened.catalog.transaction((tx) => jobs().insert(tx, { tenantId, userId: null }, job));
    return admitJob(opened.catalog, { tenantId, jobId: job.id }, { leaseMs });
  };
  const find = (leaseLeftMaxMs: number, limit = LIMIT) => jobs().findWaiting({ leaseLeftMaxMs, limit });

  it('are found when they were admitted a while ago, the oldest first, until they are started', async () => {
    const [younger, older, fresh] = [await admit(20_000), await admit(10_000), await admit()];
    const [first, second] = [older, younger].map(({ jobId, attempt }) => ({
      tenantId,
      jobId,
      attempt,
      kind: 'test.work',
    }));
    expect(await find(30_000)).toEqual([first, second]);
    expect(await find(30_000, 1)).toEqual([first]);
    await jobs().start(older, { leaseMs: 5_000 });
    expect(await find(30_000)).toEqual([second]);
    for (const { jobId } of [younger, fresh]) await jobs().requestCancel(tenantId, jobId);
    expect(await find(2 * LEASE_MS)).toEqual([]);
  });

  it('are put back without a failure, once, however many find them lost', async () => {
    const lost = await admit();
    const ends = (await Promise.all([1, 2, 3, 4].map(() => jobs().requeueLost([lost])))).flat();
    expect(ends).toEqual([{ tenantId, jobId: lost.jobId, status: 'queued' }]);
    expect(await jobs().get(tenantId, lost.jobId)).toMatchObject({ status: 'queued', failures: 0, error: null });
    expect(await jobs().start(lost, { leaseMs: LEASE_MS })).toBeUndefined();
  });

  it('are left alone when they were started, admitted again or ended meanwhile', async () => {
    const [started, again, cancelled] = [await admit(), await admit(), await admit()];
    await jobs().start(started, { leaseMs: LEASE_MS });
    await jobs().requeueLost([again]);
    const second = await admitJob(opened.catalog, again, { leaseMs: LEASE_MS });
    await jobs().requestCancel(tenantId, cancelled.jobId);
    expect(await jobs().requeueLost([started, again, cancelled])).toEqual([]);
    const statusOf = async ({ jobId }: JobFence) => (await jobs().get(tenantId, jobId)).status;
    expect(await Promise.all([started, second, cancelled].map(statusOf))).toEqual(['running', 'admitted', 'cancelled']);
  });
});
