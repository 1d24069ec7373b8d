import type { EventEmitter } from 'node:events';
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

/** Connections are scarce (the embedded Postgres has 200). A worker and a relay hold one more each, to listen. */
const POOL_CONNECTIONS_MAX = 2;

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
 * A client whose connection ends while no query runs on it has nobody else to tell, and an `error` without a listener ends
 * the process. The pool listens only while a client lies idle. What was lost is told by the next query.
 */
function outliveItsConnection(client: EventEmitter): void {
  client.on('error', () => undefined);
}

function connectionTo(databaseUrl: string): PostgresPoolConfig {
  return {
    onConnect: outliveItsConnection,
    connectionString: databaseUrl,
    schema: QUEUE_SCHEMA,
    max: POOL_CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'millrace-queue',
  };
}

/** Brings BullMQ's tables up to date; safe to call from several processes at once. */
export async function migrateQueue(databaseUrl: string): Promise<void> {
  const timeouts = { statement_timeout: MIGRATION_TIMEOUT_MS, query_timeout: MIGRATION_TIMEOUT_MS };
  const connection = new PostgresConnection({ ...connectionTo(databaseUrl), ...timeouts, max: 1, migrate: true });
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
  const connection = new PostgresConnection(connectionTo(databaseUrl));
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
  const { Worker } = withBackend<PostgresQueueBackend, PostgresConnectionOptions>(
    (name, options) => new PollingBackend(new PostgresConnection(options.connection), name, options, true, name),
  );
  const worker = new Worker<unknown, void>(queue, (job) => receive(job.name, job.data), {
    connection: connectionTo(databaseUrl),
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
  const connection: PostgresConnectionOptions = connectionTo(databaseUrl);
  const relay = new Relay({ connection, namespace: RELAY_NAMESPACE, backend: createPostgresRelayBackend });
  relay.on('error', logErrors(log, 'event relay'));
  await relay.waitUntilReady().catch(async (error: unknown) => {
    await relay.close();
    throw error;
  });
  return {
    publish: async (topic, data) => void (await relay.publish(topic, data)),
    subscribe: async (topic, listener) =>
      void (await relay.subscribe(topic, (message) => {
        listener(message.data);
      })),
    close: () => relay.close(),
  };
}
