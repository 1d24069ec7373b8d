import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId, type ErrorRecord, type JobFence, type TenantId } from '@millrace/domain';
import type { Catalog } from '@millrace/catalog';
import { withRemoteParent } from '@millrace/telemetry';
import { admitJob, createTenant, newJob, openCatalog, startJob, type TestCatalog } from '@millrace/testing';
import { describeJobLedger } from '@millrace/testing/job-ledger-conformance';

const leaseMs = 60_000;
const OVER = -1_000;
/** What a worker ends an attempt with when its heartbeat has told it of the wish to cancel. */
const CANCELLED: ErrorRecord = { code: 'job.cancelled', detail: 'The job was cancelled.' };
const PASSING: ErrorRecord = { code: 'storage.unavailable', detail: 'The store does not answer.' };

describe('the ledger', () => {
  let opened: TestCatalog;
  let catalog: Catalog;
  let tenantId: TenantId;

  beforeAll(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  beforeAll(async () => {
    ({ tenantId } = await createTenant(catalog));
  });
  afterAll(() => opened.stop());

  const insert = async (attemptsMax = 3, owner = tenantId) => {
    const job = newJob('test.work', attemptsMax);
    await catalog.transaction((tx) => catalog.jobs.insert(tx, { tenantId: owner, userId: null }, job));
    return { tenantId: owner, jobId: job.id };
  };
  /** Ends the pause before the next attempt. */
  const endPause = (jobId: string) =>
    catalog.transaction((tx) => tx.query('UPDATE jobs SET run_after = now() WHERE id = $1', [jobId]));
  const readmit = async (fence: JobFence): Promise<JobFence> => {
    await catalog.jobs.heartbeat(fence, { leaseMs: OVER });
    await catalog.jobs.sweepRunning();
    await endPause(fence.jobId);
    return admitJob(catalog, fence);
  };

  it('gives each attempt the trace in which its job was inserted', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const job = await withRemoteParent(traceparent, () => insert());
    const first = await admitJob(catalog, job);
    expect(await catalog.jobs.start(first, { leaseMs })).toMatchObject({ traceparent });
    expect(await catalog.jobs.start(await readmit(first), { leaseMs })).toMatchObject({ traceparent });
    const other = await admitJob(catalog, await insert());
    expect(await catalog.jobs.start(other, { leaseMs })).not.toHaveProperty('traceparent');
  });

  describeJobLedger('the catalog', async () => ({
    ledger: catalog.jobs,
    admit: async ({ attemptsMax }) => {
      const { tenantId: own } = await createTenant(catalog);
      return admitJob(catalog, await insert(attemptsMax, own));
    },
    readmit,
    requestCancel: async (fence) => {
      await catalog.jobs.requestCancel(fence.tenantId, fence.jobId);
    },
  }));

  it('keeps progress and the lease of a job that runs', async () => {
    const fence = await startJob(catalog, await insert());
    await catalog.jobs.heartbeat(fence, { leaseMs, progress: 0.25 });
    await catalog.jobs.heartbeat(fence, { leaseMs });
    expect(await catalog.jobs.get(tenantId, fence.jobId)).toMatchObject({ status: 'running', progress: 0.25 });
    expect(await catalog.jobs.sweepRunning()).toEqual([]);
  });

  it('refuses everything from an attempt that is not the current one', async () => {
    const first = await startJob(catalog, await insert());
    const second = await readmit(first);
    await catalog.jobs.start(second, { leaseMs });
    expect(second.attempt).toBe(first.attempt + 1);
    expect(await catalog.jobs.start(first, { leaseMs })).toBeUndefined();
    expect(await catalog.jobs.heartbeat(first, { leaseMs })).toBe('lost');
    expect(await catalog.jobs.succeed(first)).toBe('running');
    expect(await catalog.jobs.fail(first, PASSING)).toBe('running');
    expect(await catalog.jobs.fail(first, CANCELLED)).toBe('running');
    expect(await catalog.jobs.get(tenantId, first.jobId)).toMatchObject({ status: 'running', attempt: 2 });
    await expect(catalog.jobs.succeed({ ...second, jobId: newId('job') })).rejects.toMatchObject({
      code: 'job.not_found',
    });
  });

  it('counts lost workers and passing faults together, until there have been enough', async () => {
    let fence = await startJob(catalog, await insert(3));
    expect(await catalog.jobs.fail(fence, PASSING)).toBe('queued');
    await endPause(fence.jobId);
    fence = await startJob(catalog, fence);
    fence = await readmit(fence);
    expect(await catalog.jobs.get(tenantId, fence.jobId)).toMatchObject({ failures: 2, attempt: 3 });
    await catalog.jobs.start(fence, { leaseMs: OVER });
    expect(await catalog.jobs.sweepRunning()).toEqual([{ tenantId, jobId: fence.jobId, status: 'failed' }]);
    expect(await catalog.jobs.get(tenantId, fence.jobId)).toMatchObject({ failures: 3, error: { code: 'job.lost' } });
  });

  it('waits before the next attempt, a second after the first failure', async () => {
    const fence = await startJob(catalog, await insert());
    const before = Date.now();
    await catalog.jobs.fail(fence, PASSING);
    const job = await catalog.jobs.get(tenantId, fence.jobId);
    const pauseMs = job.runAfter.getTime() - before;
    expect(pauseMs).toBeGreaterThan(400);
    expect(pauseMs).toBeLessThan(1_500);
    expect(job).toMatchObject({ blockedBy: 'backoff', position: 1, error: PASSING, leaseUntil: null });
    expect(await catalog.jobs.admit({ kinds: ['test.work'], admittedMax: 10, leaseMs })).toEqual([]);
  });

  it('counts no failure when the queue lost the job', async () => {
    const fence = await admitJob(catalog, await insert(1), { leaseMs: OVER });
    expect(await catalog.jobs.sweepAdmitted()).toContainEqual({ tenantId, jobId: fence.jobId, status: 'queued' });
    expect(await catalog.jobs.start(fence, { leaseMs })).toBeUndefined();
    const second = await startJob(catalog, fence);
    expect(second.attempt).toBe(2);
    expect(await catalog.jobs.get(tenantId, fence.jobId)).toMatchObject({ failures: 0, status: 'running' });
    expect(await catalog.jobs.succeed(second)).toBe('succeeded');
  });

  it('ends a lost job once, however many sweepers look', async () => {
    const fence = await startJob(catalog, await insert(5), { leaseMs: OVER });
    const ends = (await Promise.all([1, 2, 3, 4].map(() => catalog.jobs.sweepRunning()))).flat();
    expect(ends.filter((end) => end.jobId === fence.jobId)).toHaveLength(1);
    expect(await catalog.jobs.get(tenantId, fence.jobId)).toMatchObject({ failures: 1, status: 'queued' });
  });

  it('cancels at once what nobody works on, and asks the worker of what runs', async () => {
    const queued = await insert();
    expect(await catalog.jobs.requestCancel(tenantId, queued.jobId)).toMatchObject({ status: 'cancelled' });
    const admitted = await admitJob(catalog, await insert());
    expect(await catalog.jobs.requestCancel(tenantId, admitted.jobId)).toMatchObject({ status: 'cancelled' });
    expect(await catalog.jobs.start(admitted, { leaseMs })).toBeUndefined();
    const running = await startJob(catalog, await insert());
    expect(await catalog.jobs.requestCancel(tenantId, running.jobId)).toMatchObject({ status: 'running' });
    expect(await catalog.jobs.heartbeat(running, { leaseMs })).toBe('cancel_requested');
    expect(await catalog.jobs.fail(running, CANCELLED)).toBe('cancelled');
    const ended = await catalog.jobs.get(tenantId, running.jobId);
    expect(ended).toMatchObject({ status: 'cancelled', failures: 0, error: CANCELLED, leaseUntil: null });
    await expect(catalog.jobs.requestCancel(tenantId, running.jobId)).rejects.toMatchObject({ code: 'job.finished' });
    await expect(catalog.jobs.requestCancel(tenantId, newId('job'))).rejects.toMatchObject({ code: 'job.not_found' });
  });

  it('does not try again what somebody wants to end', async () => {
    const faulty = await startJob(catalog, await insert());
    await catalog.jobs.requestCancel(tenantId, faulty.jobId);
    expect(await catalog.jobs.fail(faulty, PASSING)).toBe('cancelled');
    const lost = await startJob(catalog, await insert());
    await catalog.jobs.requestCancel(tenantId, lost.jobId);
    await catalog.jobs.heartbeat(lost, { leaseMs: OVER });
    expect(await catalog.jobs.sweepRunning()).toEqual([{ tenantId, jobId: lost.jobId, status: 'cancelled' }]);
  });

  it('forgets ended jobs after a while, and no others', async () => {
    const ended = await startJob(catalog, await insert());
    await catalog.jobs.succeed(ended);
    const running = await startJob(catalog, await insert());
    expect(await catalog.jobs.purgeEnded({ olderThanMs: 60_000, limit: 100 })).toBe(0);
    await catalog.jobs.purgeEnded({ olderThanMs: -1_000, limit: 100 });
    await expect(catalog.jobs.get(tenantId, ended.jobId)).rejects.toMatchObject({ code: 'job.not_found' });
    expect(await catalog.jobs.get(tenantId, running.jobId)).toMatchObject({ status: 'running' });
  });

  it('lists jobs by kind, status and who caused them', async () => {
    const tenant = await createTenant(catalog);
    const { userId } = tenant.member.principal;
    const own = newJob('test.work');
    const owner = { tenantId: tenant.tenantId, userId };
    await catalog.transaction((tx) => catalog.jobs.insert(tx, owner, own));
    await insert(1, tenant.tenantId);
    const idsOf = async (filter: object) =>
      (await catalog.jobs.list(tenant.tenantId, { limit: 10, ...filter })).items.map((job) => job.id);
    expect(await idsOf({ userId })).toEqual([own.id]);
    expect(await idsOf({ kind: 'test.other' })).toEqual([]);
    expect(await idsOf({ kind: 'test.work', status: 'queued' })).toHaveLength(2);
    const stranger = catalog.jobs.get(tenant.tenantId, own.id, { userId: tenant.admin.principal.userId });
    await expect(stranger).rejects.toMatchObject({ code: 'job.not_found' });
  });
});
