import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What a client may call its request: short, printable, harmless in a log line. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The id that the client gave in `X-Request-Id` when it is fit for use, else a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
