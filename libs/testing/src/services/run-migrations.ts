import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const MAIN = fileURLToPath(new URL('../../../../apps/maintenance-worker/dist/migrate.js', import.meta.url));
const TIME_MAX_MS = 120_000;

/** Makes the tables, as a deployment does before its services start. @throws Error with its output when it can't */
export async function runMigrations(variables: Readonly<Record<string, string>>): Promise<void> {
  const env = { PATH: process.env['PATH'], ...variables };
  await promisify(execFile)(process.execPath, [MAIN], { env, timeout: TIME_MAX_MS });
}
