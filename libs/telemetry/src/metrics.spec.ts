import { describe, expect, it } from '@jest/globals';
import { Counter, createMetrics, Gauge } from './metrics.js';
import { addLevel, addTotals } from './read-metrics.js';

describe('the metrics of a service', () => {
  it('are made anew when its start is tried again', async () => {
    const metrics = createMetrics('test');
    const make = (): Counter => new Counter({ name: 'starts_total', help: 'Starts.', registers: [metrics] });
    make().inc(7);
    make().inc();
    expect(await metrics.metrics()).toContain('starts_total{service="test"} 1');
  });

  it('have what others count, as it is when somebody looks', async () => {
    const metrics = createMetrics('test');
    let count = 1;
    addTotals(metrics, { name: 'a_total', help: 'A.', labelNames: ['kind'], read: () => [[{ kind: 'x' }, count]] });
    expect(await metrics.metrics()).toContain('a_total{kind="x",service="test"} 1');
    count = 5;
    expect(await metrics.metrics()).toContain('a_total{kind="x",service="test"} 5');
  });

  it('leave out what can not be read, and have the others', async () => {
    const metrics = createMetrics('test');
    new Gauge({ name: 'good', help: 'Good.', registers: [metrics] }).set(1);
    addLevel(metrics, { name: 'rejects', help: 'R.', labelNames: [], read: () => Promise.reject(new Error('away')) });
    addLevel(metrics, { name: 'hangs', help: 'H.', labelNames: [], read: () => new Promise(() => undefined) });
    const page = await metrics.metrics();
    expect(page).toContain('good{service="test"} 1');
    expect(page).not.toMatch(/^(rejects|hangs)[ {]/m);
  });
});
