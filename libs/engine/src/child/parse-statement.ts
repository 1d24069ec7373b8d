import type { DuckDBConnection } from '@duckdb/node-api';
import type { ParseAnswer, ParseRequest } from '../tasks/parse.task.js';
import { isOutOfMemory, readDuckdbError } from './duckdb-error.js';
import type { TaskContext } from './task-context.js';

/** What DuckDB's own parser makes of a text. What is wrong with one is part of the answer: the gate finds the words. */
export async function parseStatement({ sql }: ParseRequest, { connection }: TaskContext): Promise<ParseAnswer> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
  const treeJson = String(reader.getRows()[0]?.[0]);
  return { statementCount: await countStatements(sql, connection), treeJson };
}

/** A second witness: PIVOT without IN counts as two, where its tree is only an error. */
async function countStatements(sql: string, connection: DuckDBConnection): Promise<number> {
  try {
    return (await connection.extractStatements(sql)).count;
  } catch (error) {
    const duckdb = readDuckdbError(error);
    if (duckdb && (isOutOfMemory(duckdb) || duckdb.type === 'INTERRUPT')) throw error;
    return 0;
  }
}
