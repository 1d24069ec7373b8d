import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { CONNECT_TIMEOUT_MS, type Database } from './database.js';
import { fromDatabaseError } from './database-error.js';
import { findRow, rowsOf } from './sql.js';

/** The folder of the repository, as seen from this file in `src` and in `dist` alike. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../../migrations/', import.meta.url));

/** Any number, but the same in every version: whoever holds it migrates. */
const MIGRATION_LOCK = 7_294_551_021;
const FILE_NAME = /^\d{4}-[a-z0-9-]+\.sql$/;

export interface MigrateOptions {
  readonly databaseUrl: string;
  readonly folder?: string;
}

interface Migration {
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

/**
 * Applies the migrations that are not applied yet, in the order of their numbers, each in a transaction of its own.
 * Several processes may call it at once: one works, the others wait for it.
 *
 * TypeORM's own migrations are not used: they are classes, know nothing of checksums and do not lock.
 *
 * @returns the names of those applied now
 * @throws Error when an applied file was changed afterwards; DomainError `service.unavailable`
 */
export async function migrate({ databaseUrl, folder = MIGRATIONS_FOLDER }: MigrateOptions): Promise<string[]> {
  const migrations = await readMigrations(folder);
  // A connection of its own, without a statement timeout: waiting for the lock and building an index may take long.
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'millrace-migrations',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  try {
    await client.connect();
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    return await applyMissing(client, migrations);
  } catch (error) {
    throw fromDatabaseError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * The names of the migrations that a database lacks; all of them when it is empty. Those that it has beyond ours are of a
 * newer version, which leaves what older ones need.
 *
 * @throws DomainError `service.unavailable` when the database does not answer
 */
export async function missingMigrations(database: Database, folder = MIGRATIONS_FOLDER): Promise<string[]> {
  const names = (await readMigrations(folder)).map(({ name }) => name);
  const table = await database.run((manager) =>
    findRow<{ isThere: boolean }>(manager, `SELECT to_regclass('schema_migrations') IS NOT NULL AS "isThere"`),
  );
  if (table?.isThere !== true) return names;
  const applied = await database.run((manager) =>
    rowsOf<{ name: string }>(manager, 'SELECT name FROM schema_migrations'),
  );
  const known = new Set(applied.map(({ name }) => name));
  return names.filter((name) => !known.has(name));
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const misnamed = names.find((name) => !FILE_NAME.test(name));
  if (misnamed !== undefined) throw new Error(`a migration is named NNNN-verb-object.sql, not ${misnamed}`);
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8');
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

async function applyMissing(client: pg.Client, migrations: readonly Migration[]): Promise<string[]> {
  await client.query(
    'CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, checksum text NOT NULL, ' +
      'applied_at timestamptz NOT NULL DEFAULT now())',
  );
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'SELECT name, checksum FROM schema_migrations',
  );
  const applied = new Map(rows.map((row) => [row.name, row.checksum]));
  const missing = migrations.filter((migration) => !applied.has(migration.name));
  migrations.forEach((migration) => refuseChanged(migration, applied.get(migration.name)));
  for (const migration of missing) await apply(client, migration);
  return missing.map((migration) => migration.name);
}

function refuseChanged(migration: Migration, checksum: string | undefined): void {
  if (checksum === undefined || checksum === migration.checksum) return;
  throw new Error(`migration ${migration.name} was changed after it was applied; write a new one instead`);
}

async function apply(client: pg.Client, { name, text, checksum }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(text);
    await client.query('INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)', [name, checksum]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
