import { destination, pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import { currentContext } from './request-context.js';

export type { DestinationStream, Logger } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  /** The service that logs: on every line. */
  readonly service: string;
  /** Where lines go; standard output when left out. */
  readonly stream?: DestinationStream;
}

/**
 * A logger that writes one JSON object a line. The request's context (request id, tenant, job) is on every line that
 * is written within it. Secrets and row data are never given to it; headers that carry secrets are removed as a
 * second fence.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => ({ ...currentContext() }),
      redact: {
        paths: ['authorization', '*.authorization', 'headers.authorization', 'api_key', '*.api_key'],
        remove: true,
      },
    },
    options.stream ?? destination({ fd: 1, sync: false }),
  );
}

/** A file that log lines are appended to. */
export function logFile(path: string): DestinationStream {
  return destination({ dest: path, append: true, mkdir: true, sync: false });
}
