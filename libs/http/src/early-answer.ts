import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** How long a client may take to read an answer before the connection that it still sends on is cut off. */
export const LINGER_MS = 2_000;

/**
 * Closes the connection after an answer that comes before the end of its request. Left open, it would wait for the
 * rest of a body that nobody reads, for as long as the client likes.
 */
export function closeAfterEarlyAnswers(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    if (!isUnderWay(request.raw)) return done();
    // What has arrived with the headers may not be parsed yet: a moment later it is, and the connection can stay.
    setImmediate(() => {
      closeAfterEarlyAnswer(request.raw, reply.raw);
      done();
    });
  });
}

/**
 * Cuts off a client that does not read its answer. Only from the answer on: before that, it is the client who waits, as
 * long as a statement may take.
 */
export function endStalledAnswers(fastify: FastifyInstance, { answerIdleMs }: { readonly answerIdleMs: number }): void {
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    reply.raw.socket?.setTimeout(answerIdleMs);
    done();
  });
}

/** To be called before the head of the answer is written. Does nothing when the whole request has arrived. */
export function closeAfterEarlyAnswer(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = response;
  if (!socket || !isUnderWay(request)) return;
  response.setHeader('connection', 'close');
  // What Node calls when the answer was flushed. It would close at once, and the bytes that still come in would make
  // the kernel reset the connection, answer included.
  socket.destroySoon = () => linger(socket, request);
}

function isUnderWay({ complete, headers }: IncomingMessage): boolean {
  const announcesBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return announcesBody && !complete;
}

/** Says that no more comes, throws away what does, and cuts off the client that does not stop. */
function linger(socket: Socket, request: IncomingMessage): void {
  socket.end();
  request.unpipe();
  request.removeAllListeners('readable');
  request.resume();
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(cut));
}
