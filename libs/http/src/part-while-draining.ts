import type { FastifyInstance } from 'fastify';
import type { Readiness } from './readiness.js';

/**
 * Answers of a process that is about to stop end their connections: clients that keep theirs open come back to another
 * process, before this one closes. One that is closed while a request is on its way would lose that request.
 */
export function partWhileDraining(fastify: FastifyInstance, readiness: Readiness): void {
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (readiness.isDraining) void reply.header('connection', 'close');
    done();
  });
}
