import { Cluster, Redis } from 'ioredis';
import type { RedisLocation } from '../queue-location.js';
import { clusterOptions, redisOptions, RECONNECT_MAX_MS, type RedisRole } from './redis-options.js';

export type RedisClient = Redis | Cluster;

/** To find a master through sentinels may take several tries. */
const OPEN_TIMEOUT_MS = 10_000;
/** The next try to connect comes within the longest pause, and takes its time to fail. */
const SETTLE_TIMEOUT_MS = RECONNECT_MAX_MS + 6_000;
/**
 * A network that has gone silent ends no connection: TCP alone gives up after a quarter of an hour. Not by ioredis's
 * `socketTimeout`: its timer outlives the connection, keeps the process alive and ends the next connection instead.
 */
const PROBE_INTERVAL_MS = 5_000;
/** Behind a read that blocks for 5 s, the answer comes after it. */
const PROBE_TIMEOUT_MS = 8_000;

/** The connections to Redis of one part of the queue: made, watched and ended together. */
export class RedisLink {
  readonly #clients: RedisClient[] = [];
  #ending = false;
  #lastError: Error | undefined;
  /** Of connections that were made and had no answer yet when they were looked at last. */
  #unanswered: ReadonlySet<Redis['stream']> = new Set();
  readonly #probes: NodeJS.Timeout;

  constructor(private readonly location: RedisLocation) {
    this.#probes = setInterval(() => this.#probe(), PROBE_INTERVAL_MS).unref();
  }

  /**
   * A client that is connected. BullMQ duplicates it for its blocking reads, which gives a client of this link, too.
   *
   * @throws Error with the reason, when Redis does not answer or lets nobody in
   */
  async open(role: RedisRole): Promise<RedisClient> {
    const client = this.#make(role);
    try {
      await within(OPEN_TIMEOUT_MS, client.connect());
    } catch (error) {
      const { message } = reasonOf(this.#lastError ?? (error as Error));
      this.end();
      // Not with the error as its cause: that holds the command, which may be the one with the password.
      throw new Error(`Redis does not answer: ${message}`);
    }
    return client;
  }

  /**
   * From now on a lost connection stays lost. Waits until no client stands between two tries to connect: there, ioredis
   * would never tell whoever disconnects that the connection has ended.
   */
  async settle(): Promise<void> {
    this.#ending = true;
    const between = this.#clients.filter(({ status }) => status === 'reconnecting');
    await within(SETTLE_TIMEOUT_MS, Promise.all(between.map(endOfTry))).catch(() => undefined);
  }

  /** Ends what is still connected. What was not answered fails. */
  end(): void {
    this.#ending = true;
    clearInterval(this.#probes);
    // To end what has ended would keep the process alive for another 2 s.
    for (const client of this.#clients) if (client.status !== 'end') client.disconnect();
  }

  /** Asks each connection for a sign of life, and makes a new one in the place of what gives none. */
  #probe(): void {
    const connections = this.#clients.flatMap(connectionsOf);
    for (const connection of connections.filter(({ status }) => status === 'ready')) {
      const { stream } = connection;
      within(PROBE_TIMEOUT_MS, connection.ping()).catch(() => {
        // A client that is connecting again, through sentinels, would be ended for good.
        if (connection.stream === stream && connection.status === 'ready') connection.disconnect(true);
      });
    }
    // Nothing can be asked before the server has answered to the connection itself, and ioredis waits for that for ever.
    const unanswered = connections.filter(({ status }) => status === 'connect');
    for (const connection of unanswered) if (this.#unanswered.has(connection.stream)) connection.disconnect(true);
    this.#unanswered = new Set(unanswered.map(({ stream }) => stream));
  }

  #make(role: RedisRole): RedisClient {
    const { location } = this;
    const behaviour = { role, mayReconnect: () => !this.#ending };
    const client =
      location.topology.type === 'cluster'
        ? new Cluster([...location.topology.nodes], clusterOptions(location, behaviour))
        : new Redis(redisOptions(location, behaviour));
    // BullMQ listens and tells, but only for its own time; an error that nobody listens for is printed by ioredis.
    client.on('error', (error: Error) => {
      this.#lastError = error;
    });
    client.duplicate = (): never => this.#make('blocks') as never;
    this.#clients.push(client);
    return client;
  }
}

function connectionsOf(client: RedisClient): Redis[] {
  return client instanceof Cluster ? client.nodes() : [client];
}

function endOfTry(client: RedisClient): Promise<void> {
  return new Promise((resolve) => {
    client.once('ready', resolve).once('end', resolve);
  });
}

/** Behind the failure of a cluster stands that of a node. */
function reasonOf(error: Error): Error {
  const { lastNodeError } = error as { lastNodeError?: unknown };
  return lastNodeError instanceof Error ? lastNodeError : error;
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`no answer within ${limitMs / 1000} s`));
  }, limitMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
