import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from '@opentelemetry/api';

/**
 * The span within which something runs, of this process or of another. A store of our own instead of OpenTelemetry's
 * global context: nothing else in the process can then change it, and it is there when no tracing was started.
 */
export const activeSpan = new AsyncLocalStorage<Span>();
