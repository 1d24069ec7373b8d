import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Histogram, type Logger, type Registry } from '@millrace/telemetry';
import type { AuthenticatedRequest } from '@millrace/auth';
import type { MillraceRouteConfig } from './operation.decorator.js';

const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Logs one line a request and measures its duration by operation and status. */
export function observeRequests(fastify: FastifyInstance, options: { logger: Logger; metrics: Registry }): void {
  const duration = new Histogram({
    name: 'millrace_http_request_duration_seconds',
    help: 'Duration of HTTP requests, until the last byte of the answer.',
    labelNames: ['operation', 'status'],
    buckets: DURATION_BUCKETS_S,
    registers: [options.metrics],
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
      },
      'request',
    );
    done();
  });
}

function operationOf(request: FastifyRequest): string {
  return (request.routeOptions.config as Partial<MillraceRouteConfig> | undefined)?.operation ?? 'none';
}
