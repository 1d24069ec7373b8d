import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Catalog, JobSignal } from '@millrace/catalog';
import { createDataset, createTenant, newJob, openCatalog, type TestCatalog, type TestTenant } from '@millrace/testing';

const WAIT_MS = 10_000;

describe('the signal for jobs', () => {
  let opened: TestCatalog;
  let catalog: Catalog;
  let tenant: TestTenant;

  beforeAll(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  beforeAll(async () => {
    tenant = await createTenant(catalog);
  });
  const signals: JobSignal[] = [];
  // Also of a test that failed: a signal left open would go on connecting for ever.
  afterEach(async () => {
    await Promise.all(signals.splice(0).map((signal) => signal.close()));
  });
  afterAll(() => opened.stop());

  const listen = async (wake: () => void) => {
    const signal = await catalog.listenForJobs(wake);
    signals.push(signal);
    return signal;
  };

  const counter = () => {
    let wakes = 0;
    return {
      wake: () => void (wakes += 1),
      wakes: () => wakes,
      untilMoreThan: async (count: number) => {
        for (const deadline = Date.now() + WAIT_MS; wakes <= count && Date.now() < deadline;) await sleep(10);
        return wakes > count;
      },
    };
  };
  const insert = (rollBack = false) =>
    catalog.transaction(async (tx) => {
      await catalog.jobs.insert(tx, { tenantId: tenant.tenantId, userId: null }, newJob('test.work'));
      if (rollBack) throw new Error('rolled back');
    });

  it('wakes once for a start, and then for each transaction that inserts jobs, but for none that is rolled back', async () => {
    const { wake, wakes, untilMoreThan } = counter();
    const signal = await listen(wake);
    expect(wakes()).toBe(1);
    await createDataset(catalog, tenant.member.principal);
    expect(await untilMoreThan(1)).toBe(true);
    await expect(insert(true)).rejects.toThrow('rolled back');
    await sleep(100);
    expect(wakes()).toBe(2);
    await signal.close();
    await insert();
    await sleep(100);
    expect(wakes()).toBe(2);
  });

  it('connects again when its connection breaks, and wakes for what may have been missed', async () => {
    const { wake, wakes, untilMoreThan } = counter();
    await listen(wake);
    await catalog.transaction((tx) =>
      tx.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'millrace-job-signal' AND datname = current_database()`),
    );
    expect(await untilMoreThan(1)).toBe(true);
    const before = wakes();
    await insert();
    expect(await untilMoreThan(before)).toBe(true);
  });
});
