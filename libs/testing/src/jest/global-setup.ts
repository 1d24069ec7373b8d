import { SERVER_URL_VARIABLE } from '../postgres/start-postgres.js';
import { startTestServer } from '../postgres/test-server.js';
import { holdServer } from './held-server.js';

/** Starts one Postgres for the whole run, unless one was named: suites only make databases on it. */
export default async function setUp(): Promise<void> {
  if (process.env[SERVER_URL_VARIABLE]) return;
  const server = await startTestServer();
  holdServer(server);
  process.env[SERVER_URL_VARIABLE] = server.serverUrl;
}
