import pg from 'pg';
import { CONNECT_TIMEOUT_MS } from './database.js';
import { fromDatabaseError } from './database-error.js';

export interface NamedDatabase {
  /** Any database of the server, of a user who may create others. */
  readonly serverUrl: string;
  readonly name: string;
}

/** Makes an empty database on a server and gives its address. */
export async function createDatabase({ serverUrl, name }: NamedDatabase): Promise<string> {
  await execute(serverUrl, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}

/** Removes a database, also when somebody is connected to it. */
export async function dropDatabase({ serverUrl, name }: NamedDatabase): Promise<void> {
  await execute(serverUrl, `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
}

async function execute(serverUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  try {
    await client.connect();
    await client.query(statement);
  } catch (error) {
    throw fromDatabaseError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}
