import { isSpanContextValid, type SpanContext, TraceFlags } from '@opentelemetry/api';

/** `traceparent` of W3C Trace Context: version, trace, span and flags in hexadecimal. */
const TRACE_PARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;
/** The specification keeps it for what is no version. */
const NO_VERSION = 'ff';

/** The span that a `traceparent` names; undefined for any other text: what is passed on and logged is never just any text. */
export function parseTraceparent(text: string): SpanContext | undefined {
  if (!TRACE_PARENT.test(text)) return undefined;
  const [version, traceId = '', spanId = '', flags = ''] = text.split('-');
  if (version === NO_VERSION) return undefined;
  const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
  return isSpanContextValid(span) ? span : undefined;
}

export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0')}`;
}
