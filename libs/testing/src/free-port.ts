import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** The bus of a cluster listens 10,000 above, which must be a port, too. */
const PORT_MAX = 55_000;

/** A port of the loopback that nobody has at the moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    if (port <= PORT_MAX) return port;
  }
}
