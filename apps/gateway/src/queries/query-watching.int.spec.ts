import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { QUERY_JOB } from '@millrace/catalog';
import { newId, type JobFence } from '@millrace/domain';
import { admitJob, createTenant, eventually, newJob } from '@millrace/testing';
import { EventReader } from '../../test/event-reader.js';
import { type GatewayUnderTest, startTestGateway } from '../../test/gateway-harness.js';

const leaseMs = 60_000;

describe('watching a query', () => {
  let gateway: GatewayUnderTest;

  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  /** A query that waits in the background, and what its owner may ask. */
  const submit = async () => {
    const { admin, member } = await createTenant(gateway.catalog);
    const { tenantId, userId } = admin.principal;
    const id = newId('queryRun');
    const job = newJob(QUERY_JOB);
    const run = { tenantId, userId, id, sql: 'SELECT 1', timeoutMs: 1_000, job, activeMax: 1 };
    await gateway.catalog.backgroundRuns.create(run);
    const send = (method: string, path: string, headers = {}): Promise<Response> =>
      gateway.send(method, path, { headers, apiKey: admin.apiKey });
    const events = async (path = `/v1/queries/${id}/events`, headers = {}): Promise<EventReader> => {
      const response = await send('GET', path, headers);
      const type = response.headers.get('content-type');
      expect([response.status, type]).toEqual([200, 'text/event-stream; charset=utf-8']);
      return new EventReader(response);
    };
    return { id, job: { tenantId, jobId: job.id }, send, events, memberKey: member.apiKey };
  };

  const start = async (job: Omit<JobFence, 'attempt'>): Promise<JobFence> => {
    const fence = await admitJob(gateway.catalog, job);
    await gateway.catalog.jobs.start(fence, { leaseMs });
    await gateway.catalog.backgroundRuns.start(fence, { inputs: [] });
    return fence;
  };

  const fail = async (fence: JobFence): Promise<void> => {
    const status = await gateway.catalog.jobs.fail(fence, { code: 'sql.failed', detail: 'Out of range.' });
    const { tenantId, jobId } = fence;
    await gateway.events.publish({ type: 'job.ended', tenantId, jobId, status });
  };

  it('tells why it waits, and how far it is', async () => {
    const { id, job, send } = await submit();
    const look = async () => (await (await send('GET', `/v1/queries/${id}`)).json()) as object;
    const waiting = { status: 'queued', job_id: job.jobId, blocked_by: 'queue', position: 1, progress: null };
    expect(await look()).toMatchObject(waiting);
    const fence = await start(job);
    await gateway.catalog.jobs.heartbeat(fence, { leaseMs, progress: 0.4 });
    expect(await look()).toMatchObject({ status: 'running', blocked_by: null, position: null, progress: 0.4 });
    await fail(fence);
    expect(await look()).toMatchObject({ status: 'failed', error: { code: 'sql.failed' }, progress: null });
  });

  it('waits for a change of the status, if it is asked to', async () => {
    const { id, job, send } = await submit();
    const look = (prefer: string) => send('GET', `/v1/queries/${id}`, { prefer });
    const atOnce = await look('wait=0');
    expect(await atOnce.json()).toMatchObject({ status: 'queued' });
    const changed = look('wait=60');
    const fence = await start(job);
    const answer = await changed;
    expect(answer.headers.get('preference-applied')).toBe('wait=60');
    expect(await answer.json()).toMatchObject({ status: 'running' });
    const ended = look('wait=60');
    await fail(fence);
    expect(await (await ended).json()).toMatchObject({ status: 'failed' });
    expect(await (await look('wait=60')).json()).toMatchObject({ status: 'failed' });
  });

  it('answers when the wait is over, too', async () => {
    const { id, send } = await submit();
    const answer = await send('GET', `/v1/queries/${id}`, { prefer: 'wait=1' });
    expect(await answer.json()).toMatchObject({ status: 'queued' });
  });

  it('gets each state as an event, and the end of the stream after the last', async () => {
    const { id, job, events } = await submit();
    const reader = await events();
    expect(await reader.next()).toMatchObject({
      event: 'change',
      id: expect.any(String),
      data: { id, status: 'queued' },
    });
    const fence = await start(job);
    await reader.until(({ status }) => status === 'running');
    await gateway.catalog.jobs.heartbeat(fence, { leaseMs, progress: 0.5 });
    await reader.until(({ progress }) => progress === 0.5);
    await fail(fence);
    expect(await reader.until(({ status }) => status === 'failed')).toMatchObject({ event: 'end' });
    expect(await reader.next()).toBeUndefined();
  });

  it('goes on after the last event that a client has, and has no more to tell after the end', async () => {
    const { id, job, send, events } = await submit();
    const path = `/v1/queries/${id}/events`;
    const first = await events();
    const seen = await first.next();
    await first.cancel();
    const again = await events(path, { 'last-event-id': seen?.id });
    const fence = await start(job);
    expect(await again.next()).toMatchObject({ data: { status: 'running' } });
    await fail(fence);
    const last = await again.until(({ status }) => status === 'failed');
    const { status, headers } = await send('GET', path, { 'last-event-id': last.id });
    expect([status, headers.get('content-type')]).toEqual([204, null]);
    const late = await events();
    expect(await late.next()).toMatchObject({ event: 'end', id: last.id });
  });

  it('follows a job the same way', async () => {
    const { job, send, events } = await submit();
    const reader = await events(`/v1/jobs/${job.jobId}/events`);
    expect(await reader.next()).toMatchObject({ data: { kind: 'query.run', status: 'queued', position: 1 } });
    await send('POST', `/v1/jobs/${job.jobId}/cancel`);
    expect(await reader.next()).toMatchObject({ event: 'end', data: { status: 'cancelled' } });
    expect(await reader.next()).toBeUndefined();
  });

  it('is for its owner alone', async () => {
    const { id, job, memberKey } = await submit();
    const stranger = (await createTenant(gateway.catalog)).admin.apiKey;
    for (const apiKey of [stranger, memberKey]) {
      for (const path of [`/v1/queries/${id}/events`, `/v1/jobs/${job.jobId}/events`, `/v1/queries/${id}`]) {
        expect((await gateway.send('GET', path, { apiKey, headers: { prefer: 'wait=30' } })).status).toBe(404);
      }
    }
  });

  it('is bounded for each tenant, and a stream that ends makes room', async () => {
    const { id, send, events } = await submit();
    const other = await submit();
    const path = `/v1/queries/${id}/events`;
    const open = await Promise.all(Array.from({ length: 32 }, () => events()));
    const refused = await send('GET', path);
    expect(await refused.json()).toMatchObject({ status: 429, code: 'request.too_many' });
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect((await send('HEAD', path)).status).toBe(200);
    await (await other.events()).cancel();
    await send('POST', `/v1/queries/${id}/cancel`);
    for (const reader of open) {
      await reader.until(({ status }) => status === 'cancelled');
      expect(await reader.next()).toBeUndefined();
    }
    const last = await eventually('there is room', async () => {
      const response = await send('GET', path);
      return response.status === 200 && new EventReader(response);
    });
    expect(await last.next()).toMatchObject({ event: 'end' });
  });

  it('cancels what waits at once, and says the same again', async () => {
    const { id, job, send } = await submit();
    for (const _ of [1, 2]) {
      const answer = await send('POST', `/v1/queries/${id}/cancel`);
      expect([answer.status, await answer.json()]).toMatchObject([202, { id, status: 'cancelled' }]);
    }
    expect(await gateway.catalog.jobs.get(job.tenantId, job.jobId)).toMatchObject({ status: 'cancelled' });
  });
});

describe('the end of a gateway', () => {
  it('ends the streams, and the waits, of those who watch', async () => {
    const gateway = await startTestGateway();
    const { tenantId, userId } = gateway.tenant.admin.principal;
    const id = newId('queryRun');
    const run = { tenantId, userId, id, sql: 'SELECT 1', timeoutMs: 1_000, job: newJob(QUERY_JOB), activeMax: 1 };
    await gateway.catalog.backgroundRuns.create(run);
    const reader = new EventReader(await gateway.send('GET', `/v1/queries/${id}/events`));
    await reader.next();
    const wait = gateway.send('GET', `/v1/queries/${id}`, { headers: { prefer: 'wait=60' } });
    const other = new EventReader(await gateway.send('GET', `/v1/queries/${id}/events`));
    await other.next();
    const stopped = gateway.stop();
    expect(await reader.next()).toBeUndefined();
    expect(await other.next()).toBeUndefined();
    expect(await (await wait).json()).toMatchObject({ status: 'queued' });
    await stopped;
  });
});
