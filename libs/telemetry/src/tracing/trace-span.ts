import { type AttributeValue, type Span, SpanStatusCode } from '@opentelemetry/api';
import { formatTraceparent } from './trace-parent.js';

/** Ids, kinds, codes and numbers. Never the text of a statement, a value of a row, a name that a user chose, a key. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a log line says of the span in which it is written; named as OpenTelemetry names it in logs. */
export interface TraceFields {
  readonly trace_id: string;
  readonly span_id: string;
}

/** A piece of work in a trace. What is told to one that nobody records costs nothing. */
export class TraceSpan {
  /** @param span undefined when there is no trace at all */
  constructor(private readonly span?: Span) {}

  /** Names it to other processes; undefined when there is no trace. */
  get traceparent(): string | undefined {
    return this.span && formatTraceparent(this.span.spanContext());
  }

  get logFields(): TraceFields | undefined {
    if (!this.span) return undefined;
    const { traceId, spanId } = this.span.spanContext();
    return { trace_id: traceId, span_id: spanId };
  }

  set(attributes: SpanAttributes): void {
    if (this.span?.isRecording()) this.span.setAttributes(present(attributes));
  }

  /** The work went wrong. Says by which code, and never the message, which may quote anything. */
  fail(error: unknown): void {
    this.failAs(kindOf(error));
  }

  /** @param kind of the error, one of few: a code, a status */
  failAs(kind: string): void {
    this.span?.setAttribute('error.type', kind);
    this.span?.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): void {
    this.span?.end();
  }
}

/** What OpenTelemetry takes: without those that are not known. */
export function present(attributes: SpanAttributes): Record<string, AttributeValue> {
  const known: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) known[name] = value;
  return known;
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
