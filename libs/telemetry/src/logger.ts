import { destination, pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import { redactSecrets } from './redact-secrets.js';
import { currentContext } from './request-context.js';
import { currentTrace } from './tracing/spans.js';

export type { DestinationStream, Logger } from 'pino';

/** Of lines that could not be written yet. */
const WAITING_BYTES_MAX = 1024 * 1024;

export interface LoggerOptions {
  readonly level: string;
  /** The service that logs: on every line. */
  readonly service: string;
  /** Where lines go; standard output when left out. */
  readonly stream?: DestinationStream;
}

/**
 * A logger that writes one JSON object a line. The request's context (request id, tenant, job) is on every line that
 * is written within it, and so are trace and span. Secrets and row data are never given to it; headers that carry secrets
 * are removed as a second fence, and what looks like a secret anywhere else as a third.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => ({ ...currentContext(), ...currentTrace() }),
      hooks: { streamWrite: redactSecrets },
      redact: {
        paths: ['authorization', '*.authorization', 'headers.authorization', 'api_key', '*.api_key'],
        remove: true,
      },
    },
    options.stream ?? destination({ fd: 1, sync: false }),
  );
}

/**
 * A file that log lines are appended to. On a full disk lines are lost, and nothing else: the process goes on, and ends
 * when it is told to. Lines are written at once, because what pino does at the exit for lines that wait never ends then.
 *
 * @throws Error of the system when the file can not be opened
 */
export function logFile(path: string): DestinationStream {
  const file = destination({ dest: path, append: true, mkdir: true, sync: true, maxLength: WAITING_BYTES_MAX });
  file.on('error', () => undefined);
  return file;
}
