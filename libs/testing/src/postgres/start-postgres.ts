import { randomBytes } from 'node:crypto';
import { createDatabase, dropDatabase } from '@millrace/catalog';
import { startTestServer, type TestServer } from './test-server.js';

/** The variable that names the server for tests: set from outside, or by the global set-up of Jest. */
export const SERVER_URL_VARIABLE = 'TEST_DATABASE_URL';

export interface TestDatabase {
  /** An empty database of its own. */
  readonly databaseUrl: string;
  /** Removes the database, and the server if it was started for it. */
  stop(): Promise<void>;
}

/**
 * A fresh database for a suite: on the server of `TEST_DATABASE_URL` where there is one, else on a server started for
 * it alone.
 */
export async function startPostgres(): Promise<TestDatabase> {
  const serverUrl = process.env[SERVER_URL_VARIABLE];
  return createOn(serverUrl ? { serverUrl, stop: () => Promise.resolve() } : await startTestServer());
}

async function createOn(server: TestServer): Promise<TestDatabase> {
  const { serverUrl } = server;
  const name = `test_${randomBytes(8).toString('hex')}`;
  const databaseUrl = await createDatabase({ serverUrl, name });
  const stop = async (): Promise<void> => {
    await dropDatabase({ serverUrl, name });
    await server.stop();
  };
  return { databaseUrl, stop };
}
