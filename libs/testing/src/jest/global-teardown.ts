import { SERVER_URL_VARIABLE } from '../postgres/start-postgres.js';
import { releaseServer } from './held-server.js';

/** Stops the Postgres that the global set-up started. */
export default async function tearDown(): Promise<void> {
  const server = releaseServer();
  if (!server) return;
  delete process.env[SERVER_URL_VARIABLE];
  await server.stop();
}
