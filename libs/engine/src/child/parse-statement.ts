import { createHash } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import { analyzeStatement, normalForm } from '@millrace/sql';
import { faultError } from '../pool/fault-error.js';
import type { ParseRequest, ParseResult } from '../tasks/parse.task.js';
import { isOutOfMemory, readDuckdbError } from './duckdb-error.js';
import type { TaskContext } from './task-context.js';
import { isMemoryFault } from './tree-memory-fault.js';

/**
 * Lets DuckDB's own parser make a tree of a text, and the gate judge it.
 *
 * @throws DomainError what is wrong with the text
 */
export async function parseStatement({ sql }: ParseRequest, { connection }: TaskContext): Promise<ParseResult> {
  const statementCount = await countStatements(sql, connection);
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
  const text = reader.getRows()[0]?.[0];
  // There is always one row, unless there was no memory for it.
  const tree: unknown = typeof text === 'string' ? JSON.parse(text) : undefined;
  if (tree === undefined || isMemoryFault(tree)) throw faultError('parse', 'memory');
  return { statement: analyzeStatement({ sql, tree, statementCount }), fingerprint: fingerprintOf(String(text)) };
}

function fingerprintOf(treeText: string): string {
  const hash = createHash('sha256');
  for (const piece of normalForm(treeText)) hash.update(piece);
  return hash.digest('hex');
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
