import { ROOT_CONTEXT, type Span, SpanKind, trace, type Tracer } from '@opentelemetry/api';
import { activeSpan } from './active-span.js';
import { formatTraceparent, parseTraceparent } from './trace-parent.js';
import { present, type SpanAttributes, type TraceFields, TraceSpan } from './trace-span.js';

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

export interface SpanDescription {
  readonly name: string;
  /** `internal` when it is left out. Only `server` and `consumer` begin a trace; the others are in one or are not at all. */
  readonly kind?: keyof typeof KINDS;
  /** The `traceparent` of a span elsewhere that caused it; the current span when it is left out. */
  readonly parent?: string | undefined;
  /** As `Date.now()`; now when it is left out. */
  readonly startedAt?: number;
}

/** A piece of work that has ended, as somebody tells of it afterwards. Times as `performance.now()`. */
export interface PastSpan {
  readonly name: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes?: SpanAttributes;
}

const NO_SPAN = new TraceSpan();

/** Undefined while nothing is recorded: then no span is made. */
let tracer: Tracer | undefined;

/** Whoever records spans; one per process. */
export function setTracer(next: Tracer | undefined): void {
  tracer = next;
}

/**
 * Runs some work in a span. When nothing is recorded, that is the work and nothing else, within a parent that was named.
 *
 * @param what the name of the span, or all about it
 * @throws what the work throws; the span says so by the error's code
 */
export async function inSpan<T>(
  what: string | SpanDescription,
  attributes: SpanAttributes,
  work: (span: TraceSpan) => Promise<T>,
): Promise<T> {
  const description = typeof what === 'string' ? { name: what } : what;
  const span = begin(description, attributes) ?? remoteSpan(description.parent);
  if (!span) return work(NO_SPAN);
  const told = new TraceSpan(span);
  try {
    return await activeSpan.run(span, () => work(told));
  } catch (error) {
    told.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

/**
 * Begins a span that is current for the rest of this request, for hooks that can't wrap what comes after them. The caller
 * ends it.
 */
export function enterSpan(what: SpanDescription, attributes: SpanAttributes): TraceSpan {
  const span = begin(what, attributes) ?? remoteSpan(what.parent);
  if (!span) return NO_SPAN;
  activeSpan.enterWith(span);
  return new TraceSpan(span);
}

/** Tells of work that has ended already, within the current span, and of the parts it had. */
export function recordSpan(past: PastSpan, parts: readonly PastSpan[] = []): void {
  const recorder = tracer;
  const parent = activeSpan.getStore();
  if (!recorder || !parent?.isRecording()) return;
  // Not by the origin of the process's own clock: that stays where it was when somebody sets the clock of the machine.
  const origin = Date.now() - performance.now();
  const record = ({ name, attributes = {}, startedAt, endedAt }: PastSpan, below: Span): Span => {
    const options = { startTime: origin + startedAt, attributes: present(attributes) };
    const span = recorder.startSpan(name, options, trace.setSpan(ROOT_CONTEXT, below));
    span.end(origin + endedAt);
    return span;
  };
  const whole = record(past, parent);
  for (const part of parts) record(part, whole);
}

/** Runs some work as a part of what another process does; as it is, when the text names no span. */
export function withRemoteParent<T>(traceparent: string | undefined, work: () => T): T {
  const span = remoteSpan(traceparent);
  return span ? activeSpan.run(span, work) : work();
}

/** The `traceparent` for whoever works on from here: in a request to another process, or with a job. */
export function currentTraceparent(): string | undefined {
  const span = activeSpan.getStore();
  return span && formatTraceparent(span.spanContext());
}

/** For log lines; nothing outside of a trace. */
export function currentTrace(): TraceFields | undefined {
  const span = activeSpan.getStore();
  return span && new TraceSpan(span).logFields;
}

function begin(
  { name, kind = 'internal', parent, startedAt }: SpanDescription,
  attributes: SpanAttributes,
): Span | undefined {
  if (!tracer) return undefined;
  const above = remoteSpan(parent) ?? activeSpan.getStore();
  if (!above && kind !== 'server' && kind !== 'consumer') return undefined;
  const place = above ? trace.setSpan(ROOT_CONTEXT, above) : ROOT_CONTEXT;
  const startTime = startedAt === undefined ? {} : { startTime: startedAt };
  return tracer.startSpan(name, { kind: KINDS[kind], attributes: present(attributes), ...startTime }, place);
}

function remoteSpan(traceparent: string | undefined): Span | undefined {
  const above = traceparent === undefined ? undefined : parseTraceparent(traceparent);
  return above && trace.wrapSpanContext(above);
}
