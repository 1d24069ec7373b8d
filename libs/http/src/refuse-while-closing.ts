import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { OperationName } from '@millrace/contract';
import { DomainError } from '@millrace/domain';
import type { MillraceRouteConfig } from './operation.decorator.js';

/** What is still told about a process that is about to end. */
const SERVED: ReadonlySet<string> = new Set<OperationName>(['service.live', 'service.ready']);

/**
 * Refuses what comes over open connections once the server closes, to be sent again, to another process. Fastify can
 * do so itself, but in a form of its own, and also where somebody asks whether the process is ready.
 */
export function refuseWhileClosing(fastify: FastifyInstance): void {
  let isClosing = false;
  fastify.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  fastify.addHook('onRequest', (request: FastifyRequest, _reply, done) => {
    const { operation } = request.routeOptions.config as Partial<MillraceRouteConfig>;
    if (!isClosing || (operation && SERVED.has(operation))) return done();
    done(new DomainError('service.unavailable', 'The service is about to stop. Send the request again in a moment.'));
  });
}
