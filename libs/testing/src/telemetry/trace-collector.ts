import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { eventually } from '../eventually.js';

/** A span as OTLP says it in JSON, of what tests look at. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status?: { readonly code?: number };
}

interface ExportBody {
  readonly resourceSpans?: readonly {
    readonly scopeSpans?: readonly { readonly spans?: readonly CollectedSpan[] }[];
  }[];
}

/** A collector of traces: takes OTLP over HTTP in JSON, and keeps all it was sent. */
export class TraceCollector {
  readonly spans: CollectedSpan[] = [];
  /** The bodies as they came, for tests that nothing secret is in them. */
  readonly bodies: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly answer: (response: ServerResponse) => void,
  ) {}

  /** @param answer how it answers; with success when it is left out. One that never answers is a slow collector */
  static async start(answer: (response: ServerResponse) => void = succeed): Promise<TraceCollector> {
    const server = createServer((request, response) => void collector.receive(request, response));
    const collector = new TraceCollector(server, answer);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return collector;
  }

  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  of(traceId: string): CollectedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** Waits for a span of a trace. @returns the first one of that name */
  async untilSpan(traceId: string, name: string): Promise<CollectedSpan> {
    return eventually(`a span ${name} in the trace`, () => this.of(traceId).find((span) => span.name === name));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    if (request.url === '/v1/traces') {
      this.bodies.push(body);
      for (const span of spansOf(JSON.parse(body) as ExportBody)) this.spans.push(span);
    }
    this.answer(response);
  }
}

function spansOf({ resourceSpans = [] }: ExportBody): CollectedSpan[] {
  return resourceSpans.flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap(({ spans = [] }) => spans));
}

function succeed(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
}
