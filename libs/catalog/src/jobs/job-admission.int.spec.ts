import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { JobId, TenantId } from '@millrace/domain';
import { CONVERT_JOB, QUERY_JOB, type AdmittedJob, type Catalog } from '@millrace/catalog';
import { createTenant, newJob, openCatalog, type TestCatalog } from '@millrace/testing';

const leaseMs = 60_000;
const KIND = 'test.work';

describe('admission', () => {
  let opened: TestCatalog;
  let catalog: Catalog;

  // It looks at all tenants at once: every test has a database of its own.
  beforeEach(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  afterEach(() => opened.stop());

  const insert = async (tenantId: TenantId, count: number, kind = KIND): Promise<JobId[]> => {
    const jobs = Array.from({ length: count }, () => newJob(kind));
    for (const job of jobs) {
      await catalog.transaction((tx) => catalog.jobs.insert(tx, { tenantId, userId: null }, job));
    }
    return jobs.map((job) => job.id);
  };
  const admit = (options: { admittedMax?: number; tenantInFlightMax?: number; kinds?: string[] } = {}) =>
    catalog.jobs.admit({ kinds: [KIND], admittedMax: 100, leaseMs, ...options });
  const countOf = (admitted: readonly AdmittedJob[], tenantId: TenantId) =>
    admitted.filter((job) => job.tenantId === tenantId).length;
  const tenant = async (limits = {}) => (await createTenant(catalog, { limits })).tenantId;

  it('gives each tenant its turn, however long the backlog of another is', async () => {
    const [greedy, modest, small] = [await tenant(), await tenant(), await tenant()];
    await insert(greedy, 30);
    await insert(modest, 5);
    await insert(small, 1);
    const admitted = await admit({ admittedMax: 9 });
    expect([greedy, modest, small].map((id) => countOf(admitted, id))).toEqual([4, 4, 1]);
  });

  it('prefers the tenant with the fewest jobs in flight', async () => {
    const [busy, idle] = [await tenant(), await tenant()];
    await insert(busy, 10);
    const running = await admit({ admittedMax: 3 });
    for (const { jobId, tenantId, attempt } of running) {
      await catalog.jobs.start({ jobId, tenantId, attempt }, { leaseMs });
    }
    await insert(idle, 10);
    const admitted = await admit({ admittedMax: 3 });
    expect(countOf(admitted, idle)).toBe(3);
  });

  it('admits a tenant’s jobs in the order in which they came', async () => {
    const tenantId = await tenant();
    const ids = await insert(tenantId, 6);
    const admitted = await admit({ admittedMax: 4 });
    expect(admitted.map((job) => job.jobId)).toEqual(ids.slice(0, 4));
    expect(admitted[0]).toMatchObject({ kind: KIND, attempt: 1, payload: {} });
    const last = await catalog.jobs.get(tenantId, ids[5] ?? newJob(KIND).id);
    expect(last).toMatchObject({ position: 2, blockedBy: 'queue' });
  });

  it.each([
    [CONVERT_JOB, 'convertConcurrencyMax'],
    [QUERY_JOB, 'backgroundQueryConcurrencyMax'],
  ])('keeps each tenant within its own limit, running jobs included: %s', async (kind, limit) => {
    const [usual, limited] = [await tenant(), await tenant({ [limit]: 1 })];
    await insert(usual, 9, kind);
    const ids = await insert(limited, 9, kind);
    const kinds = [kind];
    const admitted = await admit({ kinds });
    expect([usual, limited].map((id) => countOf(admitted, id))).toEqual([4, 1]);
    const fence = admitted.find((job) => job.tenantId === limited);
    if (!fence) throw new Error('nothing was admitted');
    await catalog.jobs.start(fence, { leaseMs });
    expect(await admit({ kinds })).toEqual([]);
    const next = await catalog.jobs.get(limited, ids[1] ?? fence.jobId);
    expect(next).toMatchObject({ blockedBy: 'tenant_limit', position: 1 });
    await catalog.jobs.succeed(fence);
    expect(countOf(await admit({ kinds }), limited)).toBe(1);
  });

  it('keeps the queue short, and each job in one queue only, when dispatchers work side by side', async () => {
    const [first, second] = [await tenant(), await tenant()];
    await insert(first, 20);
    await insert(second, 20);
    const rounds = await Promise.all(Array.from({ length: 5 }, () => admit({ admittedMax: 12 })));
    const admitted = rounds.flat();
    expect(admitted).toHaveLength(12);
    expect(new Set(admitted.map((job) => job.jobId)).size).toBe(12);
    expect(await admit({ admittedMax: 12 })).toEqual([]);
    expect(await admit({ admittedMax: 100, tenantInFlightMax: 7 })).toHaveLength(2);
  });

  it('leaves other kinds alone', async () => {
    const tenantId = await tenant();
    await insert(tenantId, 2, 'test.other');
    expect(await admit()).toEqual([]);
    expect(await admit({ kinds: ['test.other', KIND] })).toHaveLength(2);
  });
});
