import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { createMetrics, Gauge } from '@millrace/telemetry';
import { OperationsDoor } from './operations-door.js';
import { Readiness } from './readiness.js';

let readiness: Readiness;
let door: OperationsDoor;

beforeEach(async () => {
  readiness = new Readiness();
  const metrics = createMetrics('test');
  new Gauge({ name: 'millrace_answer', help: 'The answer.', registers: [metrics] }).set(42);
  door = await OperationsDoor.open({ host: '127.0.0.1', port: 0, readiness, metrics });
});
afterEach(() => door.close());

const get = async (path: string): Promise<{ status: number; body: unknown }> => {
  const answer = await fetch(door.url + path);
  return { status: answer.status, body: await answer.json() };
};

describe('the operations door', () => {
  it('answers whether the process lives, and whether it is ready', async () => {
    expect(await get('/livez')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await get('/readyz')).toEqual({ status: 200, body: { status: 'ready', checks: {} } });
  });

  it('says what is missing, and what the dependency itself said', async () => {
    readiness.set('postgres', async () => undefined);
    readiness.set('queue', () =>
      Promise.reject(new Error('It does not answer.', { cause: new Error('ECONNREFUSED') })),
    );
    expect(await get('/readyz')).toEqual({
      status: 503,
      body: {
        status: 'not_ready',
        checks: {
          postgres: { status: 'up' },
          queue: { status: 'down', detail: 'It does not answer.', cause: 'ECONNREFUSED' },
        },
      },
    });
    readiness.set('queue', async () => undefined);
    expect(await get('/readyz')).toMatchObject({ status: 200 });
  });

  it('shows what is away and not needed, and is ready', async () => {
    readiness.set('queue', () => Promise.reject(new Error('It does not answer.')), { isRequired: false });
    expect(await get('/readyz')).toMatchObject({ status: 200, body: { checks: { queue: { status: 'down' } } } });
    readiness.forget('queue');
    expect(await get('/readyz')).toEqual({ status: 200, body: { status: 'ready', checks: {} } });
  });

  it('is not ready while the process drains, though all it needs is there', async () => {
    readiness.set('postgres', async () => undefined);
    readiness.drain();
    expect(await get('/readyz')).toEqual({
      status: 503,
      body: { status: 'not_ready', checks: { postgres: { status: 'up' } } },
    });
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  it('shows metrics to who has no key', async () => {
    const answer = await fetch(`${door.url}/metrics`);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=/);
    expect(await answer.text()).toContain('millrace_answer{service="test"} 42');
  });

  it('has the pages that a service adds, and tells when one has nothing to show', async () => {
    expect(await get('/internal/scaling')).toMatchObject({ status: 404 });
    door.addPage('/internal/scaling', async () => ({ workers: 3 }));
    door.addPage('/internal/broken', () => Promise.reject(new DomainError('service.unavailable', 'Postgres is away.')));
    expect(await get('/internal/scaling')).toEqual({ status: 200, body: { workers: 3 } });
    expect(await get('/internal/broken')).toEqual({
      status: 503,
      body: { code: 'service.unavailable', detail: 'Postgres is away.' },
    });
  });
});
