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
export { currentContext, enterContext, runInContext } from './request-context.js';
