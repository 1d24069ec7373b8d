import {
  createPostgresRelayBackend,
  PostgresConnection,
  type PostgresConnectionOptions,
  type PostgresPoolConfig,
  PostgresQueueBackend,
  Relay,
  withBackend,
} from 'bullmq';
import { BullMqSender } from './bullmq-sender.js';
import { DELIVERY_SETTINGS, POLL_INTERVAL_S, RELAY_NAMESPACE, STREAM_SETTINGS } from './delivery-settings.js';
import type { QueueName } from './job-catalog.js';
import type { Broadcast, QueueBackend, QueueReceiver, QueueSender, ReceiverOptions } from './queue-backend.js';
import { logErrors, type QueueLog } from './queue-log.js';
import { RelayBroadcast } from './relay-broadcast.js';

/** BullMQ's tables have a schema of their own in the database of the catalog. */
const QUEUE_SCHEMA = 'bullmq';

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;
/** Ends a call whose server has gone silent; longer than the server's own limit, so that its answer comes first. */
const QUERY_TIMEOUT_MS = 15_000;
const MIGRATION_TIMEOUT_MS = 120_000;
/** A connection to listen on that is lost in silence is noticed so much later. */
const KEEP_ALIVE_AFTER_MS = 10_000;

/** Connections are scarce (the embedded Postgres has 200). */
const POOL_CONNECTIONS_MAX = 2;
/** A worker and a relay hold one more each, to listen. */
const LISTENING_CONNECTIONS_MAX = POOL_CONNECTIONS_MAX + 1;

type Pool = PostgresConnection['pool'];

/** BullMQ on the Postgres of the catalog. */
export class PostgresBackend implements QueueBackend {
  constructor(private readonly databaseUrl: string) {}

  async migrate(): Promise<void> {
    const timeouts = { statement_timeout: MIGRATION_TIMEOUT_MS, query_timeout: MIGRATION_TIMEOUT_MS };
    const config = { ...connectionTo(this.databaseUrl, 1), ...timeouts, migrate: true };
    const connection = guarded(new PostgresConnection(config));
    try {
      await connection.waitUntilReady();
    } finally {
      await connection.close();
    }
  }

  async openSender(names: readonly QueueName[], log: QueueLog): Promise<QueueSender> {
    const connection = new QueueConnection(connectionTo(this.databaseUrl));
    const logError = logErrors(log, 'queue sender');
    connection.on('error', logError);
    await connection.waitUntilReady().catch(async (error: unknown) => {
      await connection.close();
      throw error;
    });
    const { Queue } = withBackend<PostgresQueueBackend, PostgresConnectionOptions>(
      (name, options) => new PostgresQueueBackend(connection, name, options, false),
    );
    const options = { connection: this.databaseUrl, streams: STREAM_SETTINGS };
    const queues = new Map(names.map((name) => [name, new Queue(name, options)]));
    for (const queue of queues.values()) queue.on('error', logError);
    return new BullMqSender(queues, () => connection.close());
  }

  async openReceiver({ queue, concurrency, log, receive }: ReceiverOptions): Promise<QueueReceiver> {
    const { Worker } = withBackend<PostgresQueueBackend, PostgresConnectionOptions>((name, options) => {
      const connection = new QueueConnection(connectionTo(this.databaseUrl, LISTENING_CONNECTIONS_MAX));
      return new PollingBackend(connection, name, options, true, name);
    });
    const worker = new Worker<unknown, void>(queue, (job) => receive(job.name, job.data), {
      connection: this.databaseUrl,
      concurrency,
      ...DELIVERY_SETTINGS,
    });
    const logError = logErrors(log, `queue receiver ${queue}`);
    worker.on('error', logError);
    await worker.waitUntilReady().catch(async (error: unknown) => {
      await worker.close();
      throw error;
    });
    return {
      run: () => void worker.run().catch(logError),
      close: () => worker.close(),
    };
  }

  async openBroadcast(log: QueueLog): Promise<Broadcast> {
    const pool = openPool(connectionTo(this.databaseUrl, LISTENING_CONNECTIONS_MAX));
    const relay = new Relay({ connection: pool, namespace: RELAY_NAMESPACE, backend: createPostgresRelayBackend });
    relay.on('error', logErrors(log, 'event relay'));
    return RelayBroadcast.start(relay, {
      ping: () => pool.query('SELECT 1'),
      close: () => relay.close().then(() => pool.end()),
    });
  }
}

/**
 * Commits do not wait for the disk: what the queue loses when Postgres itself crashes, at most the last 0.6 s
 * (https://www.postgresql.org/docs/current/wal-async-commit.html), the catalog admits again.
 */
function connectionTo(databaseUrl: string, connectionsMax = POOL_CONNECTIONS_MAX): PostgresPoolConfig {
  return {
    connectionString: databaseUrl,
    schema: QUEUE_SCHEMA,
    max: connectionsMax,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    application_name: 'millrace-queue',
    options: '-c synchronous_commit=off',
  };
}

/**
 * A pool whose connections may be ended by the server at any moment. A client of pg without a listener throws that error
 * out of the event loop, and BullMQ has none while a client has just been connected, nor while it checks the tables. The
 * pool tells of each client before anybody has it. Connections to listen on come from a pool, too, when BullMQ is given
 * one; with a mere configuration it makes them itself, and nobody hears of them in time.
 */
function openPool(config: PostgresPoolConfig): Pool {
  return guarded(new PostgresConnection(config)).pool;
}

/** Whoever uses a client hears of its end by their statement, and the pool lets it go. */
function guarded(connection: PostgresConnection): PostgresConnection {
  connection.pool.on('connect', (client) => client.on('error', () => undefined));
  return connection;
}

/** BullMQ leaves a pool open that it was given; this one ends with its connection. */
class QueueConnection extends PostgresConnection {
  private ended: Promise<void> | undefined;

  constructor(config: PostgresPoolConfig) {
    super(openPool(config));
  }

  override close(): Promise<void> {
    this.ended ??= super.close().then(() => this.pool.end());
    return this.ended;
  }
}

/**
 * After an outage BullMQ's worker waits for as long as its backend allows, which on Postgres is an hour, and takes the
 * failure of its first look for an empty queue. A message whose notification fell into the outage would lie that long.
 */
class PollingBackend extends PostgresQueueBackend {
  override get maximumBlockTimeout(): number {
    return POLL_INTERVAL_S;
  }
}
