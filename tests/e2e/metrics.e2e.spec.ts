import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { type Metric, parseMetrics } from './harness/parse-metrics.js';

const DOCS = new URL('../../docs/metrics.md', import.meta.url);
/** Name, type, labels, service, meaning. */
const ROW = /^\| `(millrace_\w+)`\s*\| (\w+)\s*\| ([^|]*?)\s*\| [^|]*\| ([^|]*?)\s*\|$/gm;

let millrace: MillraceUnderTest;
let tenant: TenantUnderTest;

beforeAll(async () => {
  millrace = await startMillrace();
  tenant = await millrace.newTenant();
  await tenant.asAdmin.call('dataset.create', {
    body: { label: 'Measured', source: { inline: { format: 'csv', content: 'a\n1\n' } } },
  });
  await new Analyst(tenant.asAdmin).ask('SELECT * FROM datasets.measured');
}, 120_000);
afterAll(() => millrace.stop());

async function look(): Promise<Map<string, Metric>> {
  const answer = await fetch(`${millrace.url}/metrics`, {
    headers: { authorization: `Bearer ${tenant.admin.apiKey}` },
  });
  return parseMetrics(await answer.text());
}

/** Of the metric with these labels; all samples added up. */
async function valueOf(name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  const { samples = [] } = (await look()).get(name) ?? {};
  const wanted = Object.entries(labels);
  const matching = samples.filter((sample) => wanted.every(([label, value]) => sample.labels[label] === value));
  return matching.reduce((sum, { value }) => sum + value, 0);
}

describe('docs/metrics.md', () => {
  it('lists what is measured, with its type, its labels and its meaning', async () => {
    const text = await readFile(DOCS, 'utf8');
    const listed = [...text.matchAll(ROW)].map(([, name = '', type, labels = '', help]) => {
      return { name, type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label), help };
    });
    const measured = [...(await look()).values()].filter(
      ({ name, type }) => name.startsWith('millrace_') && type !== 'part',
    );
    expect(listed.map(({ name }) => name).toSorted()).toEqual(measured.map(({ name }) => name).toSorted());
    for (const { name, type, help, labels } of measured) {
      const row = listed.find((each) => each.name === name);
      expect({ name, type: row?.type, help: row?.help }).toEqual({ name, type, help });
      // What has not happened yet has no labels to be seen.
      if (labels.length > 0) expect({ name, labels: row?.labels.toSorted() }).toEqual({ name, labels });
    }
  });
});

describe('the metrics', () => {
  it('count requests by operation and status, and jobs by kind and outcome', async () => {
    const name = 'millrace_http_request_duration_seconds';
    // They are counted in the moment after the answer.
    const created = { operation: 'dataset.create', status: '201', service: 'gateway' };
    await eventually('a creation', () => valueOf(`${name}_count`, created));
    await eventually('a query', () => valueOf(`${name}_count`, { operation: 'query.run', service: 'query-service' }));
    const attempts = 'millrace_job_attempt_duration_seconds_count';
    await eventually('an attempt', () => valueOf(attempts, { kind: 'dataset.convert', outcome: 'succeeded' }));
    await eventually('the result is persisted', () => valueOf(attempts, { kind: 'result.persist' }));
  });

  it('know the depth and the age of the queue, and the processes of the engine', async () => {
    const held = millrace.store.hold('putFile');
    const creating = tenant.asAdmin.call('dataset.create', {
      body: { label: 'Held', source: { inline: { format: 'csv', content: 'a\n2\n' } } },
    });
    await held.arrived;
    await eventually('one runs', () => valueOf('millrace_jobs', { kind: 'dataset.convert', state: 'running' }));
    held.release();
    await creating;
    await eventually('none runs', async () => {
      const running = await valueOf('millrace_jobs', { kind: 'dataset.convert', state: 'running' });
      return running === 0;
    });
    expect(await valueOf('millrace_jobs_oldest_wait_seconds', { kind: 'dataset.convert' })).toBeGreaterThanOrEqual(0);
    expect(await valueOf('millrace_engine_process_starts_total', { pool: 'queries', role: 'table' })).toBeGreaterThan(
      0,
    );
    expect(await valueOf('millrace_engine_processes', { pool: 'conversions' })).toBeGreaterThan(0);
  });

  it('know what the process has of connections, requests and time', async () => {
    expect(await valueOf('millrace_postgres_connections', { service: 'gateway' })).toBeGreaterThan(0);
    await eventually('only the one that asks is under way', async () => {
      return (await valueOf('millrace_http_requests_in_flight', { service: 'gateway' })) === 1;
    });
    await eventually('an event', () => valueOf('millrace_events_total', { event: 'job.ended', outcome: 'sent' }));
    expect((await look()).has('nodejs_eventloop_lag_p99_seconds')).toBe(true);
  });

  it('have no id for a label', async () => {
    const labels = [...(await look()).values()].flatMap(({ samples }) =>
      samples.flatMap((each) => Object.values(each.labels)),
    );
    expect(labels.filter((label) => /^[a-z]{4}[0-9a-z]{26}$/.test(label))).toEqual([]);
  });
});
