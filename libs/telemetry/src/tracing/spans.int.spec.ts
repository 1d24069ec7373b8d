import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { TraceCollector } from '@millrace/testing';
import { currentTrace, currentTraceparent, enterSpan, inSpan, recordSpan, withRemoteParent } from './spans.js';
import { countSpans, startTracing, type Tracing } from './start-tracing.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const PARENT = `00-${TRACE}-${SPAN}-01`;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function collect(sampleRatio = 1): Promise<{ collector: TraceCollector; flush: () => Promise<void> }> {
  const { collector, tracing } = await collectBy(undefined, sampleRatio);
  return { collector, flush: () => tracing.close() };
}

async function collectBy(
  answer?: (response: ServerResponse) => void,
  sampleRatio = 1,
): Promise<{ collector: TraceCollector; tracing: Tracing }> {
  const collector = await TraceCollector.start(answer);
  closers.push(() => collector.close());
  const tracing = await startTracing({ service: 'test', version: '1', endpoint: collector.url, sampleRatio });
  closers.push(() => tracing.close());
  return { collector, tracing };
}

async function beginTrace(work: () => Promise<void>): Promise<string> {
  return inSpan({ name: 'request', kind: 'server' }, {}, async () => {
    const { trace_id } = currentTrace() ?? { trace_id: '' };
    await work();
    return trace_id;
  });
}

describe('spans', () => {
  it('of one trace hang together, and a remote parent is above them', async () => {
    const { collector, flush } = await collect();
    await inSpan({ name: 'outer', kind: 'server', parent: PARENT }, { 'millrace.tenant.id': 't' }, async () => {
      await Promise.resolve();
      await inSpan('inner', { left_out: undefined, count: 3 }, async () => undefined);
    });
    await flush();
    const [inner, outer] = collector.spans;
    expect(outer).toMatchObject({ name: 'outer', kind: 2, traceId: TRACE, parentSpanId: SPAN });
    expect(inner).toMatchObject({ name: 'inner', kind: 1, traceId: TRACE, parentSpanId: outer?.spanId });
    expect(inner?.attributes).toEqual([{ key: 'count', value: { intValue: 3 } }]);
  });

  it('say by which code the work failed, and quote nothing', async () => {
    const { collector, flush } = await collect();
    const error = new DomainError('query.memory', 'near "a secret"');
    await expect(beginTrace(() => inSpan('part', {}, () => Promise.reject(error)))).rejects.toBe(error);
    await flush();
    expect(collector.spans[0]).toMatchObject({
      status: { code: 2 },
      attributes: [{ key: 'error.type', value: { stringValue: 'query.memory' } }],
    });
    expect(collector.bodies.join('\n')).not.toContain('a secret');
  });

  it('begin a trace at a door only: work of the house makes none', async () => {
    const { collector, flush } = await collect();
    await inSpan('store.delete', {}, async () => expect(currentTraceparent()).toBeUndefined());
    await flush();
    expect(collector.spans).toEqual([]);
  });

  it('that ended elsewhere are told of with their parts', async () => {
    const { collector, flush } = await collect();
    const endedAt = performance.now();
    await beginTrace(async () =>
      recordSpan({ name: 'process', startedAt: endedAt - 100, endedAt }, [
        { name: 'prepare', startedAt: endedAt - 100, endedAt: endedAt - 40 },
      ]),
    );
    await flush();
    const span = (name: string) => collector.spans.find((each) => each.name === name);
    expect(span('prepare')).toMatchObject({ parentSpanId: span('process')?.spanId });
    expect(span('process')).toMatchObject({ parentSpanId: span('request')?.spanId });
    const [from, to] = [span('prepare')?.startTimeUnixNano, span('prepare')?.endTimeUnixNano].map(Number);
    expect(Math.round(((to ?? 0) - (from ?? 0)) / 1e6)).toBe(60);
  });

  it('are not recorded when the caller does not record, or by the ratio, and the ids go on all the same', async () => {
    const { collector, flush } = await collect(0);
    await inSpan({ name: 'a', kind: 'server', parent: `00-${TRACE}-${SPAN}-00` }, {}, async () => {
      expect(currentTraceparent()).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
    });
    await inSpan({ name: 'b', kind: 'server' }, {}, async () => expect(currentTraceparent()).toMatch(/-00$/));
    await inSpan({ name: 'c', kind: 'server', parent: PARENT }, {}, async () => undefined);
    await flush();
    expect(collector.spans.map(({ name }) => name)).toEqual(['c']);
  });

  it('are lost and counted when the collector does not take them', async () => {
    const { tracing } = await collectBy((response) => response.writeHead(400).end());
    const before = countSpans().lostCounts.send_failed;
    await beginTrace(async () => undefined);
    await tracing.close();
    expect(countSpans()).toMatchObject({ sentCount: 0, lostCounts: { queue_full: 0, send_failed: before + 1 } });
  });

  it('wait up to a bound for a collector that does not answer, and nobody waits for them', async () => {
    const { tracing } = await collectBy(() => undefined);
    for (let count = 0; count < 10_000; count += 1) await beginTrace(async () => undefined);
    expect(countSpans().lostCounts.queue_full).toBeGreaterThan(4_000);
    // It ends, though the collector never answers.
    await tracing.close();
    expect(countSpans().sentCount).toBe(0);
  });
});

describe('without a collector', () => {
  it('there are no spans, and the trace of the caller is passed on as it came', async () => {
    const tracing = await startTracing({ service: 'test', version: '1', endpoint: undefined, sampleRatio: 1 });
    await inSpan({ name: 'a', kind: 'server' }, {}, async () => expect(currentTraceparent()).toBeUndefined());
    withRemoteParent(PARENT, () => expect(currentTraceparent()).toBe(PARENT));
    withRemoteParent('a text', () => expect(currentTraceparent()).toBeUndefined());
    await (async () => {
      enterSpan({ name: 'b', kind: 'server', parent: PARENT }, {});
      await Promise.resolve();
      expect(currentTrace()).toEqual({ trace_id: TRACE, span_id: SPAN });
    })();
    await tracing.close();
  });
});
