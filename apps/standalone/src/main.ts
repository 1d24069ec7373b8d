import { join, relative, resolve } from 'node:path';
import { parseEnvironment, type Environment } from '@millrace/config';
import { Ending, VERSION } from '@millrace/runtime';
import { createLogger } from '@millrace/telemetry';
import type { IssuedCredentials } from './credentials.js';
import { LateLogFile } from './late-log-file.js';
import { startStandalone } from './standalone.js';

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
  const logPath = resolve(environment.LOG_FILE ?? join(environment.DATA_DIR, 'millrace.log'));
  const logStream = new LateLogFile(logPath);
  const logger = createLogger({ level: environment.LOG_LEVEL, service: 'standalone', stream: logStream });
  const ending = new Ending({ logger, say, complain, logPath });
  ending.watch();
  try {
    const standalone = await startStandalone({
      environment,
      logStream,
      onFolderTaken: () => logStream.open(),
      onStep: (step) => say(`${step} …\n`),
      signal: ending.signal,
      onFatal: (error) => ending.fail(error),
    });
    ending.onStarted(() => standalone.close());
    say(welcome(standalone.credentials, { environment, logPath, tookMs: Date.now() - startedAtMs }));
  } catch (error) {
    ending.onStartFailed(error);
  }
}

interface Start {
  readonly environment: Environment;
  readonly logPath: string;
  readonly tookMs: number;
}

function welcome(credentials: IssuedCredentials, { environment, logPath, tookMs }: Start): string {
  const { url, api_key, isNew } = credentials;
  return `
Millrace ${VERSION} is ready after ${(tookMs / 1_000).toFixed(1)} s.

  Address   ${url}
  API key   ${api_key}${isNew ? '  (new)' : ''}
            also in ${shown(join(environment.DATA_DIR, 'credentials.json'))}
  Contract  ${url}/docs
  Log       ${shown(logPath)}

${isNew ? firstSteps(credentials) : nextSteps(credentials)}
Ctrl-C stops it.
`;
}

function firstSteps({ url, api_key }: IssuedCredentials): string {
  return `Make a first table, and query it:

  curl -s ${url}/v1/datasets -H "Authorization: Bearer ${api_key}" -H 'Content-Type: application/json' \\
    -d '{"label": "First", "source": {"inline": {"format": "csv", "content": "region,amount\\nNorth,100\\nNorth,150\\nSouth,70"}}}'

  curl -s ${url}/v1/query -H "Authorization: Bearer ${api_key}" -H 'Content-Type: application/json' \\
    -d '{"sql": "SELECT region, SUM(amount) AS total FROM datasets.first GROUP BY region ORDER BY region"}'
`;
}

/** What works on any data: the first table is there already, or deleted. */
function nextSteps({ url, api_key }: IssuedCredentials): string {
  return `See your tables:

  curl -s ${url}/v1/datasets -H "Authorization: Bearer ${api_key}"
`;
}

/** A path as somebody in this folder would write it. */
function shown(path: string): string {
  const short = relative('.', path);
  return short.startsWith('..') ? resolve(path) : short;
}

function say(text: string): void {
  process.stdout.write(text);
}

function complain(error: unknown): void {
  process.stderr.write(`\n${error instanceof Error ? explain(error) : String(error)}\n`);
}

/** The message with its cause; the stack helps only those who debug, and is in the log. */
function explain(error: Error): string {
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    const port = Number(error.port);
    return `Port ${port} is in use by another program. Stop that, or choose another port: PORT=${port + 1} npm start`;
  }
  const cause = error.cause instanceof Error ? `\n  because: ${error.cause.message}` : '';
  return `${error.message}${cause}`;
}

main().catch((error: unknown) => {
  complain(error);
  process.exit(1);
});
