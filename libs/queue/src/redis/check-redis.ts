import type { QueueLog } from '../queue-log.js';
import type { RedisClient } from './redis-link.js';

/** BullMQ's relay and its scripts need no newer one. */
const VERSION_MIN = '6.2.0';

/**
 * Looks whether Redis can be trusted with a queue. Of a cluster one node is asked: they are set up alike.
 *
 * @throws Error when it is too old
 */
export async function checkRedis(client: RedisClient, log: QueueLog): Promise<void> {
  const info = parseInfo(await client.info());
  const version = info.get('redis_version') ?? '0';
  if (isOlder(version, VERSION_MIN)) throw new Error(`Redis must be ${VERSION_MIN} or newer; this one is ${version}`);
  const policy = info.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    log.warn({ policy }, 'Redis may throw messages away when its memory is full: set maxmemory-policy to noeviction');
  }
}

function parseInfo(text: string): Map<string, string> {
  const pairs = text.split('\r\n').map((line) => line.split(':', 2));
  return new Map(pairs.flatMap(([name, value]) => (name && value !== undefined ? [[name, value] as const] : [])));
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0;
}
