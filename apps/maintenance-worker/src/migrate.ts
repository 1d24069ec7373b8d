import { type Environment, parseEnvironment, requireSetting } from '@millrace/config';
import type { Catalog } from '@millrace/catalog';
import { migrateQueue, parseQueueLocation } from '@millrace/queue';
import { openServiceCatalog } from '@millrace/runtime';
import { createLogger } from '@millrace/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { provisionFirstKey } from './provision-first-key.js';

const HELP = `Brings the tables of Millrace up to date, and makes the first tenant with a key when there is none.

  Needs DATABASE_URL. Safe to run at any time, several times, and while services run.
  BOOTSTRAP_API_KEY sets the first key; CREDENTIALS_FILE keeps the one that is made.

All settings: docs/configuration.md
`;

/** Postgres may come up together with this. */
const POSTGRES_WAIT_MS = 60_000;
const PAUSE_MS = 1_000;

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return say(HELP);
  const environment = parseEnvironment();
  const databaseUrl = requireSetting(environment, 'DATABASE_URL');
  const catalog = await openCatalog(environment, databaseUrl);
  try {
    const applied = await catalog.migrate();
    say(applied.length > 0 ? `Applied ${applied.join(', ')}.\n` : 'The tables of the catalog are up to date.\n');
    await migrateQueue(parseQueueLocation({ REDIS_URL: environment.REDIS_URL, databaseUrl }));
    say('The queue is in order.\n');
    const key = await provisionFirstKey(catalog, environment);
    if (key !== undefined) say(`The first tenant was made. Its API key, shown once:\n\n  ${key}\n\n`);
  } finally {
    await catalog.close();
  }
}

async function openCatalog(environment: Environment, databaseUrl: string): Promise<Catalog> {
  const logger = createLogger({ level: 'silent', service: 'migrate' });
  for (const untilMs = Date.now() + POSTGRES_WAIT_MS; ; await sleep(PAUSE_MS)) {
    try {
      return await openServiceCatalog({ environment, databaseUrl, service: 'migrate', logger });
    } catch (error) {
      if (Date.now() > untilMs) throw error;
    }
  }
}

function say(text: string): void {
  process.stdout.write(text);
}

main().catch((error: unknown) => {
  const cause = error instanceof Error && error.cause instanceof Error ? ` ${error.cause.message}` : '';
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${cause}\n`);
  process.exitCode = 1;
});
