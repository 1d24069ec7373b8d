import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CONVERT_JOB } from '@millrace/catalog';
import type { TenantId } from '@millrace/domain';
import { createTenant, newJob, openCatalog, type TestCatalog } from '@millrace/testing';
import { ScalingPage } from './scaling-page.js';

const LEASE_MS = 60_000;

describe('/internal/scaling', () => {
  let opened: TestCatalog;
  let page: ScalingPage;

  // It counts over all tenants: every test has a database of its own.
  beforeEach(async () => {
    opened = await openCatalog();
    page = new ScalingPage(opened.catalog.jobs, { CONVERT_CONCURRENCY: 2, SCALING_TARGET_MS: 60_000 });
  });
  afterEach(() => opened.stop());

  const insert = async (tenantId: TenantId, count: number, kind = CONVERT_JOB): Promise<void> => {
    const { catalog } = opened;
    for (let n = 0; n < count; n += 1) {
      await catalog.transaction((tx) => catalog.jobs.insert(tx, { tenantId, userId: null }, newJob(kind)));
    }
  };
  const admit = () => opened.catalog.jobs.admit({ kinds: [CONVERT_JOB], admittedMax: 100, leaseMs: LEASE_MS });
  const tenant = async (convertConcurrencyMax: number): Promise<TenantId> =>
    (await createTenant(opened.catalog, { limits: { convertConcurrencyMax } })).tenantId;

  it('wants no worker when there is nothing to do', async () => {
    expect(await page.show()).toEqual({
      convert: { queued: 0, running: 0, backlog_seconds: 0, oldest_wait_seconds: 0, workers_wanted: 0 },
    });
  });

  it('counts what waits and what runs, of all tenants, and no other kind of job', async () => {
    const [one, other] = [await tenant(1), await tenant(10)];
    await insert(one, 3);
    await insert(other, 2);
    await insert(one, 5, 'result.persist');
    const [first] = await admit();
    if (first) await opened.catalog.jobs.start(first, { leaseMs: LEASE_MS });
    const { convert } = await page.show();
    expect(convert).toMatchObject({ queued: 4, running: 1, backlog_seconds: 40, workers_wanted: 1 });
    expect(convert.oldest_wait_seconds).toBeGreaterThan(0);
  });

  it('wants the worker of a job that runs, also when nothing waits', async () => {
    await insert(await tenant(1), 1);
    for (const job of await admit()) await opened.catalog.jobs.start(job, { leaseMs: LEASE_MS });
    expect((await page.show()).convert).toMatchObject({ queued: 0, running: 1, workers_wanted: 1 });
  });

  it('measures a backlog by how long the last conversions took', async () => {
    const tenantId = await tenant(50);
    await insert(tenantId, 1);
    for (const job of await admit()) {
      await opened.catalog.jobs.start(job, { leaseMs: LEASE_MS });
      await opened.catalog.jobs.succeed(job);
    }
    await opened.catalog.transaction((tx) =>
      tx.query("UPDATE jobs SET started_at = ended_at - interval '120 seconds'"),
    );
    await insert(tenantId, 6);
    expect((await page.show()).convert).toMatchObject({ backlog_seconds: 720, workers_wanted: 3 });
  });
});
