import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createLogger, Registry } from '@millrace/telemetry';
import { eventually } from '@millrace/testing/eventually';
import { MaintenanceMetrics } from '../maintenance-metrics.js';
import type { Sweep } from './sweep.js';
import { Sweeper } from './sweeper.js';

const HOUR_MS = 60 * 60_000;

let sweeper: Sweeper | undefined;
let registry: Registry;

afterEach(() => sweeper?.close());

function start(sweepBatch: Sweep['sweepBatch'], intervalMs: number): Sweeper {
  registry = new Registry();
  const parts = {
    metrics: new MaintenanceMetrics(registry),
    logger: createLogger({ level: 'silent', service: 'test' }),
  };
  sweeper = new Sweeper({ name: 'things.end', intervalMs, sweepBatch }, parts);
  sweeper.start();
  return sweeper;
}

describe('Sweeper', () => {
  it('runs at once, whatever its interval', async () => {
    let runs = 0;
    start(async () => {
      runs += 1;
      return 0;
    }, HOUR_MS);
    await eventually('it ran', () => runs === 1);
  });

  it('runs again and again, not before its interval', async () => {
    const times: number[] = [];
    start(async () => {
      times.push(performance.now());
      return 0;
    }, 40);
    await eventually('it ran three times', () => times.length >= 3);
    // The jitter takes up to a quarter off.
    expect((times[2] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(2 * 30 - 2);
  });

  it('takes batch after batch while there is something, and counts it', async () => {
    const left = [3, 2, 0];
    start(async () => left.shift() ?? 0, HOUR_MS);
    await eventually('all is done', () => left.length === 0);
    await sweeper?.close();
    expect(await registry.getSingleMetricAsString('millrace_swept_rows_total')).toContain('{sweep="things.end"} 5');
    expect(await registry.getSingleMetricAsString('millrace_sweeps_total')).toContain('outcome="done"} 1');
  });

  it('ends a run that finds something for ever', async () => {
    let batches = 0;
    start(async () => (batches += 1), HOUR_MS);
    await eventually('it rests', () => batches === 100);
    await sleep(20);
    expect(batches).toBe(100);
  });

  it('never runs beside itself, however slow it is', async () => {
    let [running, most, runs] = [0, 0, 0];
    start(async () => {
      most = Math.max(most, (running += 1));
      await sleep(30);
      running -= 1;
      runs += 1;
      return 0;
    }, 1);
    await eventually('it ran often', () => runs >= 5);
    expect(most).toBe(1);
  });

  it('goes on after a failure', async () => {
    let runs = 0;
    start(async () => {
      runs += 1;
      throw new Error('no luck');
    }, 1);
    await eventually('it ran often', () => runs >= 3);
    expect(await registry.getSingleMetricAsString('millrace_sweeps_total')).toMatch(/outcome="failed"} \d/);
  });

  it('closes after the batch under way, which it tells to end', async () => {
    let [aborted, ended] = [false, false];
    const begun = Promise.withResolvers<void>();
    start(async (signal) => {
      signal.addEventListener('abort', () => (aborted = true));
      begun.resolve();
      await sleep(30);
      ended = true;
      return 1;
    }, 1);
    await begun.promise;
    await sweeper?.close();
    expect([aborted, ended]).toEqual([true, true]);
  });
});
