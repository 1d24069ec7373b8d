import { queueBackendAt } from './queue-backend-at.js';
import type { QueueLocation } from './queue-location.js';

/** Brings the queue's tables up to date; safe to call from several processes at once. On Redis there are none. */
export async function migrateQueue(location: QueueLocation): Promise<void> {
  await queueBackendAt(location).migrate();
}
