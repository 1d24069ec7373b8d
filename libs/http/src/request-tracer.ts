import type { AuthenticatedRequest } from '@millrace/auth';
import { currentTraceparent, enterSpan, type TraceSpan } from '@millrace/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { operationOf } from './operation-of.js';

/** What others ask all the time. */
const UNTRACED: ReadonlySet<string> = new Set(['service.live', 'service.ready', 'service.metrics']);

const SERVER_ERROR_STATUS_MIN = 500;

const spans = new WeakMap<FastifyRequest, TraceSpan>();

/** The span of a request, if it has one. */
export function traceOf(request: FastifyRequest): TraceSpan | undefined {
  return spans.get(request);
}

/**
 * Makes each request a span of its operation, in the trace that the client names in `traceparent` if it names one, from
 * its headers to the last byte of its answer. The answer's `traceparent` names that span, or is what the client sent
 * when nothing is recorded here.
 */
export function traceRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    enterRequestSpan(request);
    const traceparent = currentTraceparent();
    if (traceparent !== undefined) void reply.header('traceparent', traceparent);
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    endRequestSpan(request, reply);
    done();
  });
}

function enterRequestSpan(request: FastifyRequest): void {
  const operation = operationOf(request);
  if (UNTRACED.has(operation)) return;
  const { traceparent } = request.headers;
  const span = enterSpan(
    { name: operation, kind: 'server', parent: typeof traceparent === 'string' ? traceparent : undefined },
    {
      'http.request.method': request.method,
      'http.route': request.routeOptions.url,
      'millrace.request.id': request.id,
    },
  );
  spans.set(request, span);
}

function endRequestSpan(request: FastifyRequest, reply: FastifyReply): void {
  const span = traceOf(request);
  if (!span) return;
  const { tenantId } = (request as AuthenticatedRequest).principal ?? {};
  span.set({ 'http.response.status_code': reply.statusCode, 'millrace.tenant.id': tenantId });
  if (reply.statusCode >= SERVER_ERROR_STATUS_MIN) span.failAs(String(reply.statusCode));
  span.end();
}
