import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/**
 * Tells a client that waits for it (`Expect: 100-continue`) to send its body when somebody reads that, and not before:
 * a request that is refused by its headers costs no body then.
 */
export function continueWhenRead(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const read = request._read.bind(request);
    request._read = (sizeBytes) => {
      request._read = read;
      if (!response.headersSent) response.writeContinue();
      read(sizeBytes);
    };
    server.emit('request', request, response);
  });
}
