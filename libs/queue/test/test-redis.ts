import { RedisServer } from '@millrace/testing';
import { Redis } from 'ioredis';
import { QUEUE_NAMES } from '../src/job-catalog.js';
import { parseQueueLocation } from '../src/parse-queue-location.js';
import type { QueueLocation } from '../src/queue-location.js';
import type { StoredMessage, TestDatastore, TestQueue } from './test-queue.js';

/** A Redis for the tests of one spec file; each gets a database of its own. */
export class TestRedis implements TestDatastore {
  readonly #queues: RedisTestQueue[] = [];
  #server: Promise<RedisServer> | undefined;

  async createQueue(): Promise<RedisTestQueue> {
    const { url } = await this.server();
    const queue = new RedisTestQueue(url, this.#queues.length);
    // What `refuseMessages` did is for the whole server.
    await queue.client.config('SET', 'maxmemory', '0');
    this.#queues.push(queue);
    return queue;
  }

  server(): Promise<RedisServer> {
    return (this.#server ??= RedisServer.start());
  }

  async stop(): Promise<void> {
    for (const queue of this.#queues) queue.close();
    await (await this.#server)?.stop();
  }
}

/** A client of the tests' own looks at the keys. */
export class RedisTestQueue implements TestQueue {
  readonly location: QueueLocation;
  readonly client: Redis;

  constructor(
    url: string,
    private readonly database: number,
  ) {
    this.location = parseQueueLocation({ REDIS_URL: `${url}/${database}`, databaseUrl: '' });
    this.client = new Redis(`${url}/${database}`, { lazyConnect: true });
    this.client.on('error', () => undefined);
  }

  async messages(): Promise<StoredMessage[]> {
    const messages: StoredMessage[] = [];
    for (const queue of QUEUE_NAMES) {
      const ids = await this.client.lrange(`{millrace}:${queue}:wait`, 0, -1);
      for (const id of ids.reverse()) {
        const { name = '', data = '' } = await this.client.hgetall(`{millrace}:${queue}:${id}`);
        messages.push({ queue, id, name, data: JSON.parse(data) as unknown });
      }
    }
    return messages;
  }

  async loseWorkers(): Promise<void> {
    for (const id of await this.client.lrange('{millrace}:convert:active', 0, -1)) {
      await this.client.del(`{millrace}:convert:${id}:lock`);
      await this.client.sadd('{millrace}:convert:stalled', id);
    }
    await this.client.del('{millrace}:convert:stalled-check');
  }

  async loseAll(): Promise<void> {
    await this.client.flushdb();
  }

  async breakConnections(): Promise<void> {
    for (const { id } of await this.#connections()) await this.client.client('KILL', 'ID', id);
  }

  async countConnections(): Promise<number> {
    return (await this.#connections()).length;
  }

  /** Redis tells what a connection said last, and workers of other queues say the same: the tests have one. */
  async isListening(_queue: string): Promise<boolean> {
    return (await this.#connections()).some(({ command }) => command === 'bzpopmin');
  }

  /** As if its memory were full. */
  async refuseMessages(): Promise<void> {
    await this.client.config('SET', 'maxmemory', '1');
  }

  async topics(): Promise<string[]> {
    const members = await this.client.zrange('{millrace}::relay:{millrace}:subs', 0, -1);
    return [...new Set(members.flatMap((member) => /events\.\w+\.\w+/.exec(member)?.[0] ?? []))].sort();
  }

  close(): void {
    this.client.disconnect();
  }

  async #connections(): Promise<{ id: string; command: string }[]> {
    const list = String(await this.client.client('LIST'));
    const lines = list.split('\n').filter((line) => line.includes(` db=${this.database} `));
    const parsed = lines.map((line) => ({
      id: /(?:^| )id=(\d+)/.exec(line)?.[1] ?? '',
      name: / name=(\S*)/.exec(line)?.[1],
      command: / cmd=(\S*)/.exec(line)?.[1] ?? '',
    }));
    return parsed.filter(({ name }) => name === 'millrace-queue');
  }
}
