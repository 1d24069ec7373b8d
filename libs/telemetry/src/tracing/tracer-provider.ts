import { hostname } from 'node:os';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { SEND_TIMEOUT_MS, SpanExport } from './span-export.js';

export interface TracerProviderOptions {
  readonly service: string;
  readonly version: string;
  readonly url: string;
  readonly sampleRatio: number;
}

/** Everything of OpenTelemetry's SDK, in a module of its own that is loaded when it is needed. */
export function openTracerProvider({ service, version, url, sampleRatio }: TracerProviderOptions): {
  readonly provider: TracerProvider;
  readonly spans: SpanExport;
} {
  const spans = new SpanExport(new OTLPTraceExporter({ url, timeoutMillis: SEND_TIMEOUT_MS }));
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': service,
      'service.namespace': 'millrace',
      'service.version': version,
      'service.instance.id': `${hostname()}:${process.pid}`,
      'host.name': hostname(),
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [spans],
  });
  return { provider, spans };
}
