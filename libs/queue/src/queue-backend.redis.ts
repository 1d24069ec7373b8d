import { Queue, Relay, Worker } from 'bullmq';
import { setTimeout as sleep } from 'node:timers/promises';
import { BullMqSender } from './bullmq-sender.js';
import { DELIVERY_SETTINGS, RELAY_NAMESPACE, STREAM_SETTINGS } from './delivery-settings.js';
import type { QueueName } from './job-catalog.js';
import type { Broadcast, QueueBackend, QueueReceiver, QueueSender, ReceiverOptions } from './queue-backend.js';
import type { RedisLocation } from './queue-location.js';
import { logErrors, type QueueLog } from './queue-log.js';
import { checkRedis } from './redis/check-redis.js';
import { type RedisClient, RedisLink } from './redis/redis-link.js';
import type { RedisRole } from './redis/redis-options.js';
import { RelayBroadcast } from './relay-broadcast.js';

/** Before every key. In braces, so that a cluster keeps all of them together, as BullMQ's scripts need it. */
const KEY_PREFIX = '{millrace}';

/** A relay that was forgotten, because Redis lost everything, notices so much later. */
const RELAY_HEARTBEAT_MS = 3_000;
/** A relay whose connection is gone can't say goodbye. */
const RELAY_CLOSE_MS = 5_000;

/** BullMQ on Redis: one server, the master that sentinels name, or a cluster. */
export class RedisBackend implements QueueBackend {
  constructor(private readonly location: RedisLocation) {}

  /** Redis has no tables: keys come with the first message. */
  async migrate(): Promise<void> {}

  async openSender(names: readonly QueueName[], log: QueueLog): Promise<QueueSender> {
    const { link, options } = await this.#open('sends', log);
    const logError = logErrors(log, 'queue sender');
    const queues = new Map(names.map((name) => [name, new Queue(name, { ...options, streams: STREAM_SETTINGS })]));
    for (const queue of queues.values()) queue.on('error', logError);
    await orEnd(link, Promise.all([...queues.values()].map((queue) => queue.waitUntilReady())));
    return new BullMqSender(queues, async () => link.end());
  }

  async openReceiver({ queue, concurrency, log, receive }: ReceiverOptions): Promise<QueueReceiver> {
    const { link, options } = await this.#open('receives', log);
    const settings = { ...options, ...DELIVERY_SETTINGS, concurrency };
    const worker = new Worker<unknown, void>(queue, (job) => receive(job.name, job.data), settings);
    const logError = logErrors(log, `queue receiver ${queue}`);
    worker.on('error', logError);
    await orEnd(link, worker.waitUntilReady());
    return {
      run: () => void worker.run().catch(logError),
      close: async () => {
        await link.settle();
        await worker.close();
        link.end();
      },
    };
  }

  async openBroadcast(log: QueueLog): Promise<Broadcast> {
    const { link, client, options } = await this.#open('sends', log);
    const relay = new Relay({ ...options, namespace: RELAY_NAMESPACE, heartbeatInterval: RELAY_HEARTBEAT_MS });
    relay.on('error', logErrors(log, 'event relay'));
    return RelayBroadcast.start(relay, {
      ping: () => client.ping(),
      close: async () => {
        await link.settle();
        await Promise.race([relay.close(), sleep(RELAY_CLOSE_MS, undefined, { ref: false })]);
        link.end();
      },
    });
  }

  /** A connection that was found good, and the options with which BullMQ uses it; we have looked at the version. */
  async #open(
    role: RedisRole,
    log: QueueLog,
  ): Promise<{ link: RedisLink; client: RedisClient; options: BullMqOptions }> {
    const link = new RedisLink(this.location);
    const client = await link.open(role);
    await orEnd(link, checkRedis(client, log));
    return { link, client, options: { connection: client, prefix: KEY_PREFIX, skipVersionCheck: true } };
  }
}

interface BullMqOptions {
  readonly connection: RedisClient;
  readonly prefix: string;
  readonly skipVersionCheck: true;
}

async function orEnd<T>(link: RedisLink, opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    link.end();
    throw error;
  }
}
