import { enterContext } from '@millrace/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AccessControl, type AuthenticatedRequest, type Authenticator } from '@millrace/auth';
import { DomainError } from '@millrace/domain';
import type { MillraceRouteConfig } from './operation.decorator.js';
import { checkRequestTarget } from './request-target.js';

/**
 * Decides about every request when only its headers are there. Whoever may not pass is told before a byte of the body
 * was read: bodies cost memory, and time that the client decides about. A hook and not a guard of Nest, because guards
 * run when the body has been parsed, and do not see routes that are not Nest's.
 */
export function guardRequests(fastify: FastifyInstance, authenticator: Authenticator): void {
  const control = new AccessControl(authenticator);
  fastify.addHook('onRequest', async (request: FastifyRequest & AuthenticatedRequest) => {
    checkRequestTarget(request.raw.url);
    if (request.is404) throw unknownRoute(request);
    const { access } = request.routeOptions.config as Partial<MillraceRouteConfig>;
    const principal = await control.admit(access, request.headers);
    if (principal) request.principal = principal;
  });
  // Not in the hook above: what is entered after an await is gone with its function.
  fastify.addHook('onRequest', (request: FastifyRequest & AuthenticatedRequest, _reply, done) => {
    if (request.principal) enterContext({ tenantId: request.principal.tenantId });
    done();
  });
}

export function unknownRoute({ method, url }: FastifyRequest): DomainError {
  return new DomainError('route.unknown', `There is no route ${method} ${url.split('?', 1)[0]}. See /docs.`);
}
