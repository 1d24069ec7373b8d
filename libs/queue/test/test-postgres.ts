import { startPostgres, withClient, type TestDatabase } from '@millrace/testing';
import { migrateQueue } from '../src/queue-backend.js';

/** Databases for the tests of one spec file; each test gets one of its own with the queue's tables. */
export class TestPostgres {
  readonly #databases: TestDatabase[] = [];

  async createDatabase(): Promise<string> {
    const databaseUrl = await this.createEmptyDatabase();
    await migrateQueue(databaseUrl);
    return databaseUrl;
  }

  async createEmptyDatabase(): Promise<string> {
    const database = await startPostgres();
    this.#databases.push(database);
    return database.databaseUrl;
  }

  /** Runs something with a plain client on a database. */
  readonly withClient = withClient;

  /** Ends every other connection to a database, as a restart of the server does. */
  async breakConnections(databaseUrl: string): Promise<void> {
    await this.withClient(databaseUrl, (client) =>
      client.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity ' +
          'WHERE datname = current_database() AND pid <> pg_backend_pid()',
      ),
    );
  }

  async countConnections(databaseUrl: string): Promise<number> {
    const select = `SELECT count(*)::int AS count FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    const { rows } = await this.withClient(databaseUrl, (client) => client.query<{ count: number }>(select));
    return rows[0]?.count ?? 0;
  }

  async stop(): Promise<void> {
    for (const database of this.#databases.splice(0)) await database.stop();
  }
}
