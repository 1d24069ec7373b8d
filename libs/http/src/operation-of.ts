import type { FastifyRequest } from 'fastify';
import type { MillraceRouteConfig } from './operation.decorator.js';

/** The operation of the contract that a request asks for: the label of its metrics, the name of its span. */
export function operationOf(request: FastifyRequest): string {
  return (request.routeOptions.config as Partial<MillraceRouteConfig> | undefined)?.operation ?? 'none';
}
