import type { QueueBackend } from './queue-backend.js';
import { PostgresBackend } from './queue-backend.postgres.js';
import { RedisBackend } from './queue-backend.redis.js';
import type { QueueLocation } from './queue-location.js';

/** The one place where the datastore of the queue is chosen. */
export function queueBackendAt(location: QueueLocation): QueueBackend {
  switch (location.kind) {
    case 'postgres':
      return new PostgresBackend(location.databaseUrl);
    case 'redis':
      return new RedisBackend(location);
  }
}
