import type { FastifyInstance } from 'fastify';
import { Gauge, Histogram, type Logger, type Registry } from '@millrace/telemetry';
import type { AuthenticatedRequest } from '@millrace/auth';
import { operationOf } from './operation-of.js';
import { traceOf } from './request-tracer.js';

const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Logs one line a request, measures its duration by operation and status, and counts those under way. */
export function observeRequests(fastify: FastifyInstance, options: { logger: Logger; metrics: Registry }): void {
  const duration = new Histogram({
    name: 'millrace_http_request_duration_seconds',
    help: 'Duration of HTTP requests, until the last byte of the answer.',
    labelNames: ['operation', 'status'],
    buckets: DURATION_BUCKETS_S,
    registers: [options.metrics],
  });
  const inFlight = new Gauge({
    name: 'millrace_http_requests_in_flight',
    help: 'HTTP requests that have begun and are not answered to the last byte.',
    registers: [options.metrics],
  });
  fastify.addHook('onRequest', (_request, reply, done) => {
    inFlight.inc();
    // Not `onResponse`: an answer that is taken over, or broken off, ends here as well.
    reply.raw.once('close', () => inFlight.dec());
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const operation = operationOf(request);
    duration.observe({ operation, status: String(reply.statusCode) }, reply.elapsedTime / 1_000);
    options.logger.info(
      {
        requestId: request.id,
        tenantId: (request as AuthenticatedRequest).principal?.tenantId,
        operation,
        method: request.method,
        path: request.url.split('?', 1)[0],
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime),
        // This may run outside of the request's own context.
        ...traceOf(request)?.logFields,
      },
      'request',
    );
    done();
  });
}
