import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createMetrics } from '@millrace/telemetry';
import { eventually } from '@millrace/testing/eventually';
import { PoolFixture } from '../../test/pool-fixture.js';
import { measureEngine } from './measure-engine.js';

describe('the metrics of a pool', () => {
  const metrics = createMetrics('test');
  let fixture: PoolFixture;

  beforeAll(async () => {
    fixture = await PoolFixture.open({ childrenMax: 1, childrenPerTenantMax: 1 });
    measureEngine(metrics, { queries: fixture.pool });
  });
  afterAll(() => fixture.close());

  async function valueOf(name: string, labels: object): Promise<number> {
    const { values = [] } = (await metrics.getMetricsAsJSON()).find((metric) => metric.name === name) ?? {};
    const wanted = { pool: 'queries', role: 'table', service: 'test', ...labels };
    return values.find((value) => JSON.stringify(sorted(value.labels)) === JSON.stringify(sorted(wanted)))?.value ?? 0;
  }
  const sorted = (labels: object): unknown => Object.entries(labels).toSorted();

  it('are its processes, those that wait for one, and how many came and went, and why', async () => {
    const slow = new AbortController();
    const busy = fixture.query('SELECT count(*) FROM range(100000000000) a', { signal: slow.signal });
    const ended = busy.catch((error: unknown) => error);
    await eventually('one is busy', () => valueOf('millrace_engine_processes', { state: 'busy' }));
    await fixture.untilOutput();
    const waits = fixture.rows('SELECT 1', { tenantId: 'tenant-b' });
    await eventually('one waits', () => valueOf('millrace_engine_tasks_waiting', {}));
    slow.abort();
    expect(await ended).toMatchObject({ code: 'query.cancelled' });
    await waits;
    expect(await valueOf('millrace_engine_process_ends_total', { reason: 'cancelled' })).toBe(1);
    expect(await valueOf('millrace_engine_process_starts_total', {})).toBeGreaterThanOrEqual(2);
    expect(await valueOf('millrace_engine_tasks_waiting', {})).toBe(0);
    expect(await valueOf('millrace_engine_processes', { state: 'idle' })).toBe(1);
  });
});
