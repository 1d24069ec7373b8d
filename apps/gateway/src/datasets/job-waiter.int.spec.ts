import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { newJob } from '@millrace/testing';
import { type GatewayUnderTest, startTestGateway } from '../../test/gateway-harness.js';
import { WakeUpCalls } from '../watching/wake-up-calls.js';
import { JobWaiter } from './job-waiter.js';

describe('waiting for a job', () => {
  let gateway: GatewayUnderTest;

  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  it('ends for one that has ended and is forgotten already', async () => {
    const calls = new WakeUpCalls(gateway.events);
    const waiter = new JobWaiter(gateway.catalog, calls);
    const { tenantId } = gateway.tenant;
    await expect(waiter.hasEnded({ tenantId, jobId: newId('job') }, 60_000)).resolves.toBe(true);
  });

  it('ends when the process is about to stop, for a job that goes on', async () => {
    const calls = new WakeUpCalls(gateway.events);
    const waiter = new JobWaiter(gateway.catalog, calls);
    const { tenantId } = gateway.tenant;
    const job = newJob('test.work');
    await gateway.catalog.transaction((tx) => gateway.catalog.jobs.insert(tx, { tenantId, userId: null }, job));
    const waits = [waiter.hasEnded({ tenantId, jobId: job.id }, 60_000)];
    calls.beforeApplicationShutdown();
    waits.push(waiter.hasEnded({ tenantId, jobId: job.id }, 60_000));
    await expect(Promise.all(waits)).resolves.toEqual([false, false]);
  });
});
