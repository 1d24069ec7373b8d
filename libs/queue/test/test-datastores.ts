import { TestPostgres } from './test-postgres.js';
import type { TestDatastore } from './test-queue.js';
import { TestRedis } from './test-redis.js';

/** Everything that BullMQ may run on, for `describe.each`. */
export const DATASTORES: readonly (readonly [string, () => TestDatastore])[] = [
  ['Postgres', () => new TestPostgres()],
  ['Redis', () => new TestRedis()],
];
