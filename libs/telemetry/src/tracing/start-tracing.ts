import { setTimeout as sleep } from 'node:timers/promises';
import { setTracer } from './spans.js';
import type { SpanExport } from './span-export.js';

export interface TracingOptions {
  /** As on every span: `gateway`. */
  readonly service: string;
  readonly version: string;
  /** Base URL of a collector that speaks OTLP over HTTP; undefined: no span is made. */
  readonly endpoint: string | undefined;
  /** The part of the traces begun here that is recorded, 0 to 1. Traces begun elsewhere are recorded if they are there. */
  readonly sampleRatio: number;
}

export interface Tracing {
  /** Sends what still waits, and stops; what a collector has not taken within `CLOSE_MAX_MS` is lost. */
  close(): Promise<void>;
}

/** Together with the drain of a service it has to fit into the time that a process has to end. */
export const CLOSE_MAX_MS = 3_000;

const TRACES_PATH = 'v1/traces';

let current: SpanExport | undefined;

/** What was sent and lost since the start of the process. */
export function countSpans(): Pick<SpanExport, 'sentCount' | 'lostCounts'> {
  return current ?? { sentCount: 0, lostCounts: { queue_full: 0, send_failed: 0 } };
}

/** Records spans from now on, if there is a collector. Once per process, before the first request. */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { endpoint } = options;
  if (endpoint === undefined) return { close: async () => undefined };
  // Only now: a process that records nothing loads nothing of it.
  const { openTracerProvider } = await import('./tracer-provider.js');
  const { provider, spans } = openTracerProvider({ ...options, url: tracesUrl(endpoint) });
  current = spans;
  setTracer(provider.getTracer('millrace'));
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    setTracer(undefined);
    const timer = new AbortController();
    const tooLong = sleep(CLOSE_MAX_MS, undefined, { signal: timer.signal, ref: false }).catch(() => undefined);
    await Promise.race([provider.shutdown().catch(() => undefined), tooLong]);
    timer.abort();
  };
  return { close: () => (closing ??= close()) };
}

/** As OpenTelemetry says for the base URL: the path of the signal goes below its own. */
function tracesUrl(endpoint: string): string {
  return new URL(TRACES_PATH, endpoint.endsWith('/') ? endpoint : `${endpoint}/`).href;
}
