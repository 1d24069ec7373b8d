import { createServer, type RequestListener, type Server } from 'node:http';
import { Counter, type Registry } from '@millrace/telemetry';
import { continueWhenRead } from './expect-continue.js';
import type { HttpLimits } from './http-limits.js';
import type { Turns } from './turns.js';

/** How long a connection may stay open between two requests. Longer than the 60 s of usual load balancers. */
const KEEP_ALIVE_MS = 72_000;

/** How often Node looks for headers that take too long, at least. */
const HEADERS_LOOK_MS = 5_000;

/** The server below Fastify: what a connection may hold before there is a request, it holds by these bounds. */
export function createNodeServer(
  handle: RequestListener,
  { limits, metrics, turns }: { readonly limits: HttpLimits; readonly metrics: Registry; readonly turns: Turns },
): Server {
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: Math.min(HEADERS_LOOK_MS, limits.headersMs),
      // The whole request, which an upload may take hours for: bodies have bounds of their own.
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    turns.wrap(handle),
  );
  server.maxConnections = limits.connectionsMax;
  const dropped = new Counter({
    name: 'millrace_http_connections_dropped_total',
    help: 'Connections refused because as many as may are open.',
    registers: [metrics],
  });
  server.on('drop', () => dropped.inc());
  continueWhenRead(server);
  return server;
}
