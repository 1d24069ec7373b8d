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

  /** Lets nobody in and ends every connection, as a server does that is starting again, while `during` runs. */
  async refuseConnections(databaseUrl: string, during: () => Promise<unknown>): Promise<void> {
    const url = new URL(databaseUrl);
    const name = url.pathname.slice(1);
    url.pathname = '/template1';
    const run = (sql: string, values?: readonly string[]) =>
      this.withClient(url.href, (client) => client.query(sql, values ? [...values] : undefined));
    await run(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
    try {
      await run('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
      await during();
    } finally {
      await run(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
    }
  }

  /** Whether a worker of a queue waits for notifications. BullMQ names that connection after the queue. */
  async isListening(databaseUrl: string, queue: string): Promise<boolean> {
    const select = `SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = $1 AND state = 'idle' AND query ILIKE '%LISTEN%'`;
    const { rowCount } = await this.withClient(databaseUrl, (client) => client.query(select, [queue]));
    return rowCount === 1;
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
