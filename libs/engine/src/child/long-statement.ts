import type { DuckDBConnection, DuckDBResultReader } from '@duckdb/node-api';

/** Below it the search for common parts costs little, and what it finds is worth something. */
const SEARCHED_LENGTH_MAX = 50_000;

/**
 * Runs a statement of our own and reads all of its answer. In a very long one, as a table of 1,000 columns needs, DuckDB
 * does not look for expressions that occur twice: it compares each with each, which takes longer than the statement
 * itself.
 */
export async function runLong(connection: DuckDBConnection, sql: string): Promise<DuckDBResultReader> {
  if (sql.length <= SEARCHED_LENGTH_MAX) return connection.runAndReadAll(sql);
  await connection.run(`SET disabled_optimizers = 'common_subexpressions'`);
  try {
    return await connection.runAndReadAll(sql);
  } finally {
    await connection.run('RESET disabled_optimizers');
  }
}
