import { ConfigError, type Environment, parseEnvironment } from '@millrace/config';
import { createLogger, errorFields, logFile } from '@millrace/telemetry';
import { Ending } from './ending.js';
import { openServiceTracing } from './service-parts.js';
import { type ServiceDefinition, ServiceProcess } from './service-process.js';
import { VERSION } from './version.js';

/** What a service takes to close beyond its drain: engine processes to be killed, connections to be cut, results stored. */
const CLOSE_MARGIN_MS = 40_000;

/**
 * The `main` of a service: reads the environment, starts the service, and ends it at a signal. Logs go to standard
 * output, or where `LOG_FILE` says. Never throws: it tells, and the process ends with the code 1.
 */
export async function runService(definition: ServiceDefinition): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(helpOf(definition));
  const environment = readEnvironment();
  const logger = createLogger({
    level: environment.LOG_LEVEL,
    service: definition.name,
    ...(environment.LOG_FILE !== undefined && { stream: logFile(environment.LOG_FILE) }),
  });
  const ending = new Ending({
    logger,
    // What it would tell somebody at a terminal; the log has its own line.
    say: () => undefined,
    complain: (error) => process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`),
    closeMaxMs: environment.DRAIN_DELAY_MS + environment.DRAIN_MS + CLOSE_MARGIN_MS,
  });
  ending.watch();
  try {
    logger.info({ version: VERSION }, 'starting');
    const tracing = await openServiceTracing(environment, definition.name);
    const running = await ServiceProcess.start(definition, { environment, logger, signal: ending.signal });
    ending.onStarted(async () => {
      try {
        await running.close();
      } finally {
        await tracing.close();
      }
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) logger.fatal(errorFields(error), 'the service could not start');
    ending.onStartFailed(error);
  }
}

function readEnvironment(): Environment {
  try {
    return parseEnvironment();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

function helpOf({ name, requires }: ServiceDefinition): string {
  return `Millrace ${VERSION}: the ${name} as a process of its own.

  Needs these settings: ${['DATABASE_URL', ...requires].join(', ')}.
  Its operations door (OPS_HOST:OPS_PORT) serves /livez, /readyz and /metrics.
  SIGTERM stops it after what runs; a second signal at once.

All settings: docs/configuration.md
`;
}
