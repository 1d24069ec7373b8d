export { errorFields } from './error-fields.js';
export { createLogger, type DestinationStream, logFile, type Logger } from './logger.js';
export {
  Counter,
  createMetrics,
  Gauge,
  Histogram,
  joinMetrics,
  measureProcess,
  type MetricsPage,
  Registry,
} from './metrics.js';
export { addLevel, addTotals } from './read-metrics.js';
export { currentContext, enterContext, runInContext } from './request-context.js';
export {
  currentTrace,
  currentTraceparent,
  enterSpan,
  inSpan,
  type PastSpan,
  recordSpan,
  type SpanDescription,
  withRemoteParent,
} from './tracing/spans.js';
export { startTracing, type Tracing, type TracingOptions } from './tracing/start-tracing.js';
export { type SpanAttributes, type TraceFields, TraceSpan } from './tracing/trace-span.js';
