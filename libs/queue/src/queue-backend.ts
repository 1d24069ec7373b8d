import {
  createPostgresRelayBackend,
  PostgresConnection,
  type PostgresConnectionOptions,
  type PostgresPoolConfig,
  PostgresQueueBackend,
  Relay,
  withBackend,
} from 'bullmq';
import type { QueueName } from './job-catalog.js';
import { logErrors, type QueueLog } from './queue-log.js';

// The one file that knows which datastore BullMQ runs on. Another one (Redis) is chosen here, by one more setting.

/** BullMQ's tables have a schema of their own in the database of the catalog. */
export const QUEUE_SCHEMA = 'bullmq';

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

/** BullMQ's lock on a running job; it renews it every half of that. */
const LOCK_MS = 30_000;
/**
 * A message whose lock ran out is delivered once more, then failed by BullMQ. Once more is useful: a worker that died
 * between taking the message and starting the attempt left an attempt that another can still start. If it did start,
 * the second delivery carries the same attempt number and fails the fence.
 */
const REDELIVERIES_MAX = 1;
const STALLED_CHECK_INTERVAL_MS = 30_000;
/** How long an idle worker waits for a notification before it looks by itself. */
const POLL_INTERVAL_S = 5;
/** How long a worker waits before it tries again when Postgres refuses connections. */
const RECONNECT_PAUSE_MS = 1_000;
/** BullMQ's own event stream has no reader here. */
const EVENT_STREAM_LENGTH_MAX = 100;
const RELAY_NAMESPACE = 'millrace';

/**
 * Commits do not wait for the disk: what the queue loses when Postgres itself crashes, at most the last 0.6 s
 * (https://www.postgresql.org/docs/current/wal-async-commit.html), the catalog admits again when its lease ends.
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

type Pool = PostgresConnection['pool'];

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

/** Brings BullMQ's tables up to date; safe to call from several processes at once. */
export async function migrateQueue(databaseUrl: string): Promise<void> {
  const timeouts = { statement_timeout: MIGRATION_TIMEOUT_MS, query_timeout: MIGRATION_TIMEOUT_MS };
  const config = { ...connectionTo(databaseUrl, 1), ...timeouts, migrate: true };
  const connection = guarded(new PostgresConnection(config));
  try {
    await connection.waitUntilReady();
  } finally {
    await connection.close();
  }
}

/** One entry for `addBulk`. */
export interface QueueEntry {
  readonly name: string;
  readonly data: object;
  readonly opts: {
    readonly jobId: string;
    readonly attempts: number;
    readonly removeOnComplete: { readonly age: number };
    readonly removeOnFail: { readonly age: number };
  };
}

/** The sending side: all queues over one pool. */
export interface QueueSender {
  addBulk(queue: QueueName, entries: readonly QueueEntry[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens the sending side; throws when Postgres does not answer or `migrateQueue` has not run. */
export async function openSender(
  databaseUrl: string,
  names: readonly QueueName[],
  log: QueueLog,
): Promise<QueueSender> {
  const connection = new QueueConnection(connectionTo(databaseUrl));
  connection.on('error', logErrors(log, 'queue sender'));
  await connection.waitUntilReady().catch(async (error: unknown) => {
    await connection.close();
    throw error;
  });
  const { Queue } = withBackend<PostgresQueueBackend, PostgresConnectionOptions>(
    (name, options) => new PostgresQueueBackend(connection, name, options, false),
  );
  const streams = { events: { maxLen: EVENT_STREAM_LENGTH_MAX } };
  const queues = new Map(names.map((name) => [name, new Queue(name, { connection: databaseUrl, streams })]));
  for (const queue of queues.values()) queue.on('error', logErrors(log, 'queue sender'));
  return {
    addBulk: async (name, entries) => void (await queues.get(name)?.addBulk(entries.map((entry) => ({ ...entry })))),
    close: async () => {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await connection.close();
    },
  };
}

export interface ReceiverOptions {
  readonly queue: QueueName;
  readonly concurrency: number;
  readonly databaseUrl: string;
  readonly log: QueueLog;
  /** Handles one message to its end. It must not throw: BullMQ has no say in what a failure means. */
  readonly receive: (name: string, data: unknown) => Promise<void>;
}

/** The receiving side of one queue. */
export interface QueueReceiver {
  /** Throws when Postgres does not answer or `migrateQueue` has not run. */
  waitUntilReady(): Promise<void>;
  run(): void;
  /** Takes no more messages and resolves when those in hand have been handled. */
  close(): Promise<void>;
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

export function openReceiver({ queue, concurrency, databaseUrl, log, receive }: ReceiverOptions): QueueReceiver {
  const { Worker } = withBackend<PostgresQueueBackend, PostgresConnectionOptions>((name, options) => {
    const connection = new QueueConnection(connectionTo(databaseUrl, LISTENING_CONNECTIONS_MAX));
    return new PollingBackend(connection, name, options, true, name);
  });
  const worker = new Worker<unknown, void>(queue, (job) => receive(job.name, job.data), {
    connection: databaseUrl,
    autorun: false,
    concurrency,
    lockDuration: LOCK_MS,
    maxStalledCount: REDELIVERIES_MAX,
    stalledInterval: STALLED_CHECK_INTERVAL_MS,
    drainDelay: POLL_INTERVAL_S,
    runRetryDelay: RECONNECT_PAUSE_MS,
  });
  const logError = logErrors(log, `queue receiver ${queue}`);
  worker.on('error', logError);
  return {
    waitUntilReady: () => worker.waitUntilReady(),
    run: () => void worker.run().catch(logError),
    close: () => worker.close(),
  };
}

/** Messages to every process that listens. */
export interface Broadcast {
  publish(topic: string, data: unknown): Promise<void>;
  subscribe(topic: string, listener: (data: unknown) => void): Promise<void>;
  close(): Promise<void>;
}

/** Opens a node of the relay; throws when Postgres does not answer or `migrateQueue` has not run. */
export async function openBroadcast(databaseUrl: string, log: QueueLog): Promise<Broadcast> {
  const connection = openPool(connectionTo(databaseUrl, LISTENING_CONNECTIONS_MAX));
  const relay = new Relay({ connection, namespace: RELAY_NAMESPACE, backend: createPostgresRelayBackend });
  relay.on('error', logErrors(log, 'event relay'));
  let ended: Promise<void> | undefined;
  const close = (): Promise<void> => (ended ??= relay.close().then(() => connection.end()));
  await relay.waitUntilReady().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    publish: async (topic, data) => void (await relay.publish(topic, data)),
    subscribe: async (topic, listener) =>
      void (await relay.subscribe(topic, (message) => {
        listener(message.data);
      })),
    close,
  };
}
