import type { FastifyReply } from 'fastify';
import { DomainError } from '@millrace/domain';

/**
 * Aborted when the client goes away before it has its answer. It is the response that tells: a request counts as
 * closed as soon as its body was read.
 */
export function disconnectSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const onClose = (): void => {
    if (!raw.writableFinished) gone.abort(new DomainError('query.cancelled', 'The client went away.'));
  };
  if (raw.destroyed) onClose();
  else raw.once('close', onClose);
  return gone.signal;
}
