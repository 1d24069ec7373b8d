import { createServer, type RequestListener, type Server } from 'node:http';
import { continueWhenRead } from './expect-continue.js';

/** A connection whose headers do not arrive by then is closed; bodies have bounds of their own. */
const HEADERS_TIMEOUT_MS = 30_000;

/** How long a connection may stay open between two requests. Longer than the 60 s of usual load balancers. */
const KEEP_ALIVE_MS = 72_000;

/** The server below Fastify. */
export function createNodeServer(handle: RequestListener): Server {
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS },
    handle,
  );
  continueWhenRead(server);
  return server;
}
