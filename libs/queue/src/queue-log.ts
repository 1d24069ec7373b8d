/** What this library needs of a logger; pino's has this shape. Fields never hold the data of a tenant. */
export interface QueueLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** How often one connection's errors are logged at most: while its datastore is away BullMQ may report hundreds a second. */
const ERROR_LOG_INTERVAL_MS = 5_000;

/** A listener for a connection's `error` event: one line per interval, with the number of errors it stands for. */
export function logErrors(log: QueueLog, part: string): (error: Error) => void {
  let nextLineAt = 0;
  let unloggedCount = 0;
  return (error) => {
    unloggedCount += 1;
    if (Date.now() < nextLineAt) return;
    log.warn({ part, reason: error.message, count: unloggedCount }, 'the queue reports errors');
    nextLineAt = Date.now() + ERROR_LOG_INTERVAL_MS;
    unloggedCount = 0;
  };
}
