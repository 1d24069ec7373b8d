import type { ClusterOptions, RedisOptions } from 'ioredis';
import type { RedisLocation } from '../queue-location.js';

const CONNECT_TIMEOUT_MS = 5_000;
/** Ends a call whose server has gone silent. */
const COMMAND_TIMEOUT_MS = 5_000;
/** A connection that is lost in silence while nothing is asked is noticed so much later. */
const KEEP_ALIVE_AFTER_MS = 10_000;
const RECONNECT_MS = 50;
export const RECONNECT_MAX_MS = 2_000;

/** What a connection is for, which decides how it behaves while Redis is away. */
export type RedisRole = keyof typeof ROLES;

const ROLES = {
  /** Who sends hears of an outage at once, and comes again: nothing is kept here that nobody knows of. */
  sends: { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: COMMAND_TIMEOUT_MS },
  /**
   * What a worker says waits for the next try to connect. What was under way when a connection broke is not said again:
   * BullMQ has given up on it, and a message that it took would lie in nobody's hands until its lock ends.
   */
  receives: { enableOfflineQueue: true, maxRetriesPerRequest: 0, commandTimeout: 2 * COMMAND_TIMEOUT_MS },
  /** BullMQ asks for it: a blocking read goes on with the next connection. */
  blocks: { enableOfflineQueue: true, maxRetriesPerRequest: null },
} as const;

export interface RedisBehaviour {
  readonly role: RedisRole;
  /** Whether a lost connection is made up for; asked each time. */
  readonly mayReconnect: () => boolean;
}

/** Options of a client for one server, or for the master that Sentinel names. */
export function redisOptions(location: RedisLocation, behaviour: RedisBehaviour): RedisOptions {
  const { topology, tls } = location;
  const retry = retryStrategy(behaviour);
  const common = { ...connectionOptions(location), ...ROLES[behaviour.role], retryStrategy: retry, lazyConnect: true };
  switch (topology.type) {
    case 'server':
      return { ...common, ...topology.node, db: topology.database };
    case 'sentinel':
      return {
        ...common,
        sentinels: [...topology.sentinels],
        name: topology.masterName,
        ...(topology.sentinelPassword !== undefined && { sentinelPassword: topology.sentinelPassword }),
        sentinelRetryStrategy: retry,
        sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
        // Not ioredis's `failoverDetector`: what it hears while the client connects ends the client for good. A master that
        // is demoted closes its connections, one that is gone is noticed by the probe.
        ...(tls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
      };
    case 'cluster':
      throw new Error('A cluster has options of its own');
  }
}

/** Options of a client for a cluster. */
export function clusterOptions(location: RedisLocation, behaviour: RedisBehaviour): ClusterOptions {
  const { enableOfflineQueue, ...perNode } = ROLES[behaviour.role];
  return {
    enableOfflineQueue,
    redisOptions: { ...connectionOptions(location), ...perNode },
    clusterRetryStrategy: retryStrategy(behaviour),
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    lazyConnect: true,
    // Certificates are made out for names, not for the addresses that they stand for.
    ...(location.tls && { dnsLookup: (address, callback) => callback(null, address) }),
  };
}

function connectionOptions({ username, password, tls }: RedisLocation): RedisOptions {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    connectionName: 'millrace-queue',
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAlive: KEEP_ALIVE_AFTER_MS,
    // After a failover the address may belong to a replica: connect anew and say it again.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  };
}

/** The pause before the next try: doubled with each failure, half of it random so that processes do not move in step. */
function retryStrategy({ mayReconnect }: RedisBehaviour): (times: number) => number | null {
  return (times) => {
    if (!mayReconnect()) return null;
    const longest = Math.min(RECONNECT_MS * 2 ** times, RECONNECT_MAX_MS);
    return longest / 2 + (longest / 2) * Math.random();
  };
}
