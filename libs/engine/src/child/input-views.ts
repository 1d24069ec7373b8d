import type { DuckDBConnection } from '@duckdb/node-api';
import { DomainError } from '@millrace/domain';
import type { TableInput } from '../tasks/table-input.js';
import { quoteIdentifier } from '../types/sql-text.js';
import { readDuckdbError } from './duckdb-error.js';
import { selectStored } from './table-view.js';

/** Runs work with the inputs as views, which are gone before the next statement. */
export async function withViews<T>(
  connection: DuckDBConnection,
  inputs: readonly TableInput[],
  work: () => Promise<T>,
): Promise<T> {
  const created: string[] = [];
  try {
    for (const { schema, table, files, columns } of inputs) {
      const name = `${schema}.main.${quoteIdentifier(table)}`;
      await connection.run(`CREATE VIEW ${name} AS ${selectStored(files, columns)}`).catch(unreadable);
      created.push(name);
    }
    return await work();
  } finally {
    for (const name of created) await connection.run(`DROP VIEW ${name}`);
  }
}

function unreadable(cause: unknown): never {
  if (readDuckdbError(cause)?.type === 'INTERRUPT') throw cause;
  throw new DomainError('result.corrupt', 'The file of a table can not be read.', { cause });
}
