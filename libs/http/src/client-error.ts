import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { DomainError } from '@millrace/domain';
import { LINGER_MS } from './early-answer.js';
import { problemOf } from './problem.js';
import type { Turns } from './turns.js';

/** Answers what is no request, or ends as one that is none, as a problem, and closes the connection. */
export function answerClientErrors(turns: Turns): (error: NodeJS.ErrnoException, socket: Socket) => void {
  const answered = new WeakSet<Socket>();
  return (error, socket) => {
    if (answered.has(socket)) return;
    answered.add(socket);
    // Within an answer, another one would be taken for a part of it.
    if (error.code === 'ECONNRESET' || !socket.writable || turns.current(socket)?.headersSent) {
      socket.destroy();
      return;
    }
    socket.end(answerTo(problemError(error)));
    const cut = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(cut));
  };
}

function problemError(error: NodeJS.ErrnoException): DomainError {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new DomainError('request.interrupted', 'The headers of the request did not arrive in time.');
  }
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return new DomainError('request.headers_too_large', 'The line and the headers of a request have at most 16 KiB.');
  }
  return new DomainError('request.invalid', `This is no HTTP request: ${error.message}.`);
}

function answerTo(error: DomainError): string {
  const problem = problemOf(error, { instance: '/', requestId: randomUUID() });
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Connection: close',
    `X-Request-Id: ${problem.request_id}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}
