import { DomainError } from '@millrace/domain';
import type { ParseRequest, ParseResult } from '../tasks/parse.task.js';
import { placeOfSyntaxError } from './statement-error.js';
import { leadingKeyword, splitStatements } from './statement-text.js';
import type { TaskContext } from './task-context.js';

interface SerializedStatements {
  readonly error: boolean;
  readonly error_type?: string;
  readonly error_message?: string;
  readonly position?: string;
  readonly statements?: readonly unknown[];
}

/**
 * The syntax tree of a statement, by DuckDB's own parser.
 *
 * @throws DomainError `sql.syntax` with the place; `sql.not_allowed` for one statement that is no SELECT
 */
export async function parseStatement({ sql }: ParseRequest, { connection }: TaskContext): Promise<ParseResult> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
  const serialized = JSON.parse(String(reader.getRows()[0]?.[0])) as SerializedStatements;
  if (!serialized.error) {
    const tree = serialized.statements ?? [];
    return { statementCount: tree.length, tree };
  }
  if (serialized.error_type === 'parser') throw syntaxError(sql, serialized);
  const written = splitStatements(sql);
  if (written.length > 1) return { statementCount: written.length, tree: [] };
  throw notAllowed(sql);
}

function syntaxError(sql: string, { error_message = 'syntax error', position }: SerializedStatements): DomainError {
  const place = position === undefined ? { line: 1, column: 1 } : placeOfSyntaxError(sql, Number(position));
  const detail = `Line ${place.line}, column ${place.column}: ${error_message}.`;
  return new DomainError('sql.syntax', detail, { errors: [{ ...place, message: error_message }] });
}

function notAllowed(sql: string): DomainError {
  const keyword = leadingKeyword(sql);
  if (/\bPIVOT\b/i.test(sql) && /^(PIVOT|SELECT|FROM|WITH|\()/.test(keyword)) {
    return new DomainError('sql.not_allowed', 'PIVOT needs its values: PIVOT … ON column IN (value, …).');
  }
  return new DomainError('sql.not_allowed', `${keyword} is not allowed: only SELECT statements are.`);
}
