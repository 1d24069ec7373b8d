import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CollectedSpan, eventually, TraceCollector } from '@millrace/testing';
import { type MillraceUnderTest, startMillrace, type TenantUnderTest } from './harness/millrace.js';

const SECRET_WORD = 'marshmallow';

let collector: TraceCollector;
let millrace: MillraceUnderTest;
let tenant: TenantUnderTest;

beforeAll(async () => {
  collector = await TraceCollector.start();
  millrace = await startMillrace({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  tenant = await millrace.newTenant();
}, 120_000);
afterAll(async () => {
  await millrace.stop();
  await collector.close();
});

interface Traced {
  readonly traceId: string;
  /** The span of the client. */
  readonly spanId: string;
  readonly answer: Response;
  readonly body: Record<string, unknown>;
}

async function post(path: string, body: object, flags = '01'): Promise<Traced> {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  const answer = await fetch(millrace.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tenant.admin.apiKey}`,
      'content-type': 'application/json',
      traceparent: `00-${traceId}-${spanId}-${flags}`,
    },
    body: JSON.stringify(body),
  });
  return { traceId, spanId, answer, body: (await answer.json()) as Record<string, unknown> };
}

const inline = (label: string, content: string): object => ({
  label,
  source: { inline: { format: 'csv', content } },
});

/** From a span to the root, by their names. */
function pathOf(span: CollectedSpan, spans: readonly CollectedSpan[]): string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [span.name, ...(parent ? pathOf(parent, spans) : [])];
}

/** Waits for a span that stands so below others; each process sends its own at its own time. */
const untilPath = (traceId: string, ...path: string[]): Promise<CollectedSpan> =>
  eventually(path.join(' < '), () => {
    const spans = collector.of(traceId);
    return spans.find((span) => pathOf(span, spans).slice(0, path.length).join() === path.join());
  });

function attribute(span: CollectedSpan, key: string): unknown {
  const { value } = span.attributes.find((each) => each.key === key) ?? {};
  return value && Object.values(value)[0];
}

describe('a query', () => {
  it('is one trace from the caller to the engine process, and to the file of its result', async () => {
    const { traceId, spanId, answer } = await post('/v1/query', { sql: `SELECT '${SECRET_WORD}' AS word` });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('traceparent')).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    await collector.untilSpan(traceId, 'job result.persist');
    await eventually('both servers have ended', () => servers(traceId).length === 2);

    const query = ['engine query', 'query.run', 'query-service', 'query.run'];
    await untilPath(traceId, 'engine.execute', 'engine.process', ...query);
    await untilPath(traceId, 'engine.parse', 'engine.process', 'engine parse');
    const stored = await collector.untilSpan(traceId, 'store.put');
    expect(pathOf(stored, collector.of(traceId))).toContain('query.run');
    await untilPath(traceId, 'job result.persist', 'enqueue result.persist');
    const spans = collector.of(traceId);
    expect(spans.filter(({ name }) => name === 'engine.execute')).toHaveLength(1);
    const outermost = spans.filter((span) => span.parentSpanId === spanId);
    expect(outermost.map(({ name, kind }) => ({ name, kind }))).toEqual([{ name: 'query.run', kind: 2 }]);
    const persist = await collector.untilSpan(traceId, 'job result.persist');
    expect(persist.kind).toBe(5);
  });

  const servers = (traceId: string): CollectedSpan[] => collector.of(traceId).filter(({ kind }) => kind === 2);

  it('says whose it is, and nothing of its text or its rows', async () => {
    const { traceId } = await post('/v1/query', { sql: `SELECT '${SECRET_WORD}' AS ${SECRET_WORD}` });
    await eventually('both servers have ended', () => servers(traceId).length === 2);
    for (const span of servers(traceId)) expect(attribute(span, 'millrace.tenant.id')).toBe(tenant.tenantId);
    await collector.untilSpan(traceId, 'job result.persist');
    expect(collector.bodies.join('\n')).not.toContain(SECRET_WORD);
    expect(collector.bodies.join('\n')).not.toContain(tenant.admin.apiKey);
  });

  it('that fails says by which code', async () => {
    const { traceId, body } = await post('/v1/query', { sql: `SELECT CAST('${SECRET_WORD}' AS INTEGER)` });
    const span = await collector.untilSpan(traceId, 'engine query');
    expect(span.status).toMatchObject({ code: 2 });
    expect(attribute(span, 'error.type')).toBe(body['code']);
  });

  it('of a caller that does not record is not recorded, and keeps the trace', async () => {
    const { traceId, answer } = await post('/v1/query', { sql: 'SELECT 1' }, '00');
    expect(answer.headers.get('traceparent')).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    const later = await post('/v1/query', { sql: 'SELECT 2' });
    await eventually('a later one has ended', () => servers(later.traceId).length === 2);
    expect(collector.of(traceId)).toEqual([]);
  });
});

describe('a dataset', () => {
  it('is one trace from the caller over the queue to the engine process and the store', async () => {
    const { traceId, spanId, answer } = await post('/v1/datasets', inline('Traced', `a\n${SECRET_WORD}\n`));
    expect(answer.status).toBe(201);
    const path = ['job dataset.convert', 'enqueue dataset.convert', 'dataset.create'];
    const attempt = await untilPath(traceId, ...path);
    await untilPath(traceId, 'engine.write', 'engine.process', 'engine convert', ...path);
    // A folder links the source, a bucket sends it.
    const fetched = collector.of(traceId).find(({ name }) => /^store\.(link|get)$/.test(name));
    expect(fetched && pathOf(fetched, collector.of(traceId)).slice(-path.length)).toEqual(path);
    await untilPath(traceId, 'store.put', ...path);
    expect(collector.of(traceId).find(({ name }) => name === 'dataset.create')?.parentSpanId).toBe(spanId);
    expect(attribute(attempt, 'millrace.tenant.id')).toBe(tenant.tenantId);
    expect(collector.bodies.join('\n')).not.toContain(SECRET_WORD);
  });
});

describe('without a collector that answers', () => {
  it('requests are served as ever, and the spans are counted as lost', async () => {
    const deaf = await TraceCollector.start((response) => response.writeHead(400).end());
    const other = await startMillrace({ OTEL_EXPORTER_OTLP_ENDPOINT: deaf.url });
    try {
      const { asAdmin, admin } = await other.newTenant();
      const made = await asAdmin.call('dataset.create', {
        body: { label: 'Kept', source: { inline: { format: 'csv', content: 'a\n1\n' } } },
      });
      expect(made.body).toMatchObject({ table_name: expect.any(String) });
      await eventually('spans are lost', async () => {
        const answer = await fetch(`${other.url}/metrics`, { headers: { authorization: `Bearer ${admin.apiKey}` } });
        return /millrace_spans_lost_total\{[^}]*send_failed[^}]*\} [1-9]/.test(await answer.text());
      });
    } finally {
      await other.stop();
      await deaf.close();
    }
  });
});
