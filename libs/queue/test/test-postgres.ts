import { startPostgres, withClient, type TestDatabase } from '@millrace/testing';
import { migrateQueue } from '../src/migrate-queue.js';
import type { PostgresLocation } from '../src/queue-location.js';
import type { StoredMessage, TestDatastore, TestQueue } from './test-queue.js';

/** Databases for the tests of one spec file. */
export class TestPostgres implements TestDatastore {
  readonly #databases: TestDatabase[] = [];

  async createQueue(): Promise<PostgresTestQueue> {
    const queue = await this.createEmptyDatabase();
    await migrateQueue(queue.location);
    return queue;
  }

  /** One without the queue's tables. */
  async createEmptyDatabase(): Promise<PostgresTestQueue> {
    const database = await startPostgres();
    this.#databases.push(database);
    return new PostgresTestQueue({ kind: 'postgres', databaseUrl: database.databaseUrl });
  }

  async stop(): Promise<void> {
    for (const database of this.#databases.splice(0)) await database.stop();
  }
}

export class PostgresTestQueue implements TestQueue {
  constructor(readonly location: PostgresLocation) {}

  /** Runs a statement with a plain client. */
  async query<Row extends object>(sql: string, values: readonly string[] = []): Promise<Row[]> {
    const { rows } = await withClient(this.location.databaseUrl, (client) => client.query<Row>(sql, [...values]));
    return rows;
  }

  messages(): Promise<StoredMessage[]> {
    return this.query(`SELECT queue, id, name, data FROM bullmq.job WHERE state = 'waiting' ORDER BY seq`);
  }

  async loseWorkers(): Promise<void> {
    await this.query('UPDATE bullmq.job SET locked_until_ms = 1, stalled_marked = true');
    await this.query(`DELETE FROM bullmq.meta WHERE field = 'stalled-check'`);
  }

  async loseAll(): Promise<void> {
    await this.query('DELETE FROM bullmq.job');
  }

  async breakConnections(): Promise<void> {
    await this.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity ' +
        'WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
  }

  /** Lets nobody in and ends every connection, as a server does that is starting again, while `during` runs. */
  async refuseConnections(during: () => Promise<unknown>): Promise<void> {
    const url = new URL(this.location.databaseUrl);
    const name = url.pathname.slice(1);
    url.pathname = '/template1';
    const beside = new PostgresTestQueue({ kind: 'postgres', databaseUrl: url.href });
    await beside.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
    try {
      await beside.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
      await during();
    } finally {
      await beside.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
    }
  }

  /** BullMQ names that connection after the queue. */
  async isListening(queue: string): Promise<boolean> {
    const select = `SELECT pid FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = $1 AND state = 'idle' AND query ILIKE '%LISTEN%'`;
    return (await this.query(select, [queue])).length === 1;
  }

  async countConnections(): Promise<number> {
    const select = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    return (await this.query(select)).length;
  }

  async refuseMessages(): Promise<void> {
    await this.query('DROP SCHEMA bullmq CASCADE');
  }

  async topics(): Promise<string[]> {
    const rows = await this.query<{ pattern: string }>('SELECT DISTINCT pattern FROM bullmq.relay_subscription');
    return rows.map(({ pattern }) => pattern).sort();
  }
}
