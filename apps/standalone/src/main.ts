import { join, relative, resolve } from 'node:path';
import { ConfigError, parseEnvironment, type Environment } from '@millrace/config';
import type { IssuedCredentials } from './credentials.js';
import { openLogFile } from './log-stream.js';
import { startStandalone, type Standalone } from './standalone.js';
import { VERSION } from './version.js';

const HELP = `Millrace ${VERSION}: all services in one process, on an embedded Postgres and a local folder.

  npm start                     serves on http://127.0.0.1:8080, data in .millrace/
  PORT=9000 npm start           serves on another port
  DATA_DIR=/data npm start      keeps the data elsewhere
  npm run demo                  uploads sample files and queries them

All settings: docs/configuration.md
`;

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return say(HELP);
  const startedAtMs = Date.now();
  const environment = parseEnvironment();
  const logPath = environment.LOG_FILE ?? join(environment.DATA_DIR, 'millrace.log');
  const standalone = await startStandalone({
    environment,
    logStream: openLogFile(logPath),
    onStep: (step) => say(`${step} …\n`),
  });
  stopOnSignal(standalone);
  say(welcome(standalone.credentials, { environment, logPath, tookMs: Date.now() - startedAtMs }));
}

function welcome(
  { url, api_key, isNew }: IssuedCredentials,
  about: { environment: Environment; logPath: string; tookMs: number },
): string {
  const credentials = relative('.', resolve(about.environment.DATA_DIR, 'credentials.json'));
  return `
Millrace ${VERSION} is ready after ${(about.tookMs / 1_000).toFixed(1)} s.

  Address   ${url}
  API key   ${api_key}${isNew ? '  (new)' : ''}
            also in ${credentials}
  Contract  ${url}/docs
  Log       ${relative('.', resolve(about.logPath))}

Make a first table, and query it:

  curl -s ${url}/v1/datasets -H "Authorization: Bearer ${api_key}" -H 'Content-Type: application/json' \\
    -d '{"label": "First", "source": {"inline": {"format": "csv", "content": "region,amount\\nNorth,100\\nNorth,150\\nSouth,70"}}}'

  curl -s ${url}/v1/query -H "Authorization: Bearer ${api_key}" -H 'Content-Type: application/json' \\
    -d '{"sql": "SELECT region, SUM(amount) AS total FROM datasets.first GROUP BY region"}'

Ctrl-C stops it.
`;
}

/** The first signal drains and stops everything; a second one does not wait for what still runs. */
function stopOnSignal(standalone: Standalone): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    say('\nStopping; what runs may end first. Press Ctrl-C again to stop at once.\n');
    standalone.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

function say(text: string): void {
  process.stdout.write(text);
}

function fail(error: unknown): never {
  const readable = error instanceof ConfigError || !(error instanceof Error) ? String(error) : explain(error);
  process.stderr.write(`\n${readable}\n`);
  process.exit(1);
}

/** The message with its causes; the stack helps only those who debug. */
function explain(error: Error): string {
  if ('code' in error && error.code === 'EADDRINUSE') {
    return 'The port is in use by another program. Stop that, or choose another one: PORT=8081 npm start';
  }
  const cause = error.cause instanceof Error ? `\n  because: ${error.cause.message}` : '';
  return `${error.message}${cause}`;
}

main().catch(fail);
