import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Finds out at once what would otherwise show only when all parts but the last have been started.
 *
 * @throws Error of the system (`EADDRINUSE`, `EACCES`, …) when nothing can listen there
 */
export async function checkPort(port: number, host: string): Promise<void> {
  if (port === 0) return;
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
