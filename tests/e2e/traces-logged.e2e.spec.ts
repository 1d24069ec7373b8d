import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, TraceCollector } from '@millrace/testing';
import { type MillraceUnderTest, startMillrace } from './harness/millrace.js';

describe('a query', () => {
  let collector: TraceCollector;
  let millrace: MillraceUnderTest;

  beforeAll(async () => {
    collector = await TraceCollector.start();
    millrace = await startMillrace({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  });
  afterAll(async () => {
    await millrace.stop();
    await collector.close();
  });

  it('has its trace on its log lines, of both services', async () => {
    const traceId = randomBytes(16).toString('hex');
    const { asAdmin } = await millrace.newTenant();
    const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` };
    await asAdmin.call('query.run', { body: { sql: 'SELECT 1' }, headers });
    const logged = await eventually('two requests are logged', async () => {
      const lines = (await readFile(join(millrace.dataFolder, 'millrace.log'), 'utf8')).trimEnd().split('\n');
      const ours = lines
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter((line) => line['trace_id'] === traceId);
      return ours.filter(({ msg }) => msg === 'request').length === 2 && ours;
    });
    expect(logged.filter(({ msg }) => msg === 'request').map(({ service }) => service)).toEqual([
      'query-service',
      'gateway',
    ]);
    expect(logged.find(({ msg }) => msg === 'query')).toMatchObject({ service: 'query-service' });
  });
});
