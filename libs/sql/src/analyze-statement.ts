import { DomainError, type ErrorCode } from '@millrace/domain';
import { ALLOWED_STATEMENTS, findForbiddenWord, findSecondStatement } from './recognize-statement.js';
import { refusal, refusalAt } from './refusal.js';
import { StatementAnalysis, type TableSchema } from './statement-analysis.js';
import { formOf, type StatementForm } from './statement-form.js';
import type { TableVersion } from './table-version.js';
import { byteOffsetOfCodePoint, placesOf, type TextPlace } from './text-place.js';
import { isRawNode, walkTree, type RawNode } from './tree-walk.js';

/** A table that a statement reads, once for each time it is named. */
export interface TableReference {
  readonly schema: TableSchema;
  /** A dataset's table as it was written (compare without regard to case), or a result's id. */
  readonly name: string;
  /** The alias as it was written; undefined without one. */
  readonly alias: string | undefined;
  /** What AT says; undefined for the newest version. Its text is cut before the statement runs: `withoutAtClauses`. */
  readonly version: TableVersion | undefined;
  /** How many parts the name has in the text: 2 for `datasets.sales`. */
  readonly nameParts: number;
  /** Where the reference begins (at its first part: `datasets`), in UTF-8 bytes of the parsed text. */
  readonly byteOffset: number;
  readonly place: TextPlace;
}

/** A statement that passed the gate: it reads these tables and nothing else. */
export interface AnalyzedStatement {
  readonly form: StatementForm;
  readonly tables: readonly TableReference[];
  /** The parameters that it needs: `1` for `$1` and the first `?`, `name` for `$name`. In order of appearance. */
  readonly parameters: readonly string[];
  /** Whether it may give other rows when it runs again on the same tables: it asks for the time, or for chance. */
  readonly isVolatile: boolean;
}

export interface ParsedStatement {
  /** The text that was parsed: `sql` of `recognizeStatement`. */
  readonly sql: string;
  /** What DuckDB's `json_serialize_sql` gave for it, as it came: a tree, or what is wrong with the text. */
  readonly tree: unknown;
  /** What `extractStatements` counted; 0 when the text does not parse. */
  readonly statementCount: number;
}

/**
 * The gate: lets a statement through that is one SELECT, made only of known parts, reading only tables of the catalog
 * and calling only known functions. Whether the tables exist and may be read is for the caller to find out.
 *
 * @throws DomainError `sql.syntax`, `sql.not_allowed`, `table.unknown`, `function.unknown`, each with line and column
 */
export function analyzeStatement({ sql, tree, statementCount }: ParsedStatement): AnalyzedStatement {
  const root = rootOf({ sql, tree, statementCount });
  const form = formOf(sql, root);
  const analysis = new StatementAnalysis(sql);
  if (form === 'select' || form === 'inspect') walkTree(root, analysis);
  const places = placesOf(
    sql,
    analysis.tables.map((table) => table.byteOffset),
  );
  return {
    form,
    tables: analysis.tables.map((table, index) => ({ ...table, place: places[index] ?? { line: 1, column: 1 } })),
    parameters: [...analysis.parameters],
    isVolatile: analysis.isVolatile,
  };
}

function rootOf({ sql, tree, statementCount }: ParsedStatement): RawNode {
  if (!isRawNode(tree)) throw notUnderstood();
  if (tree['error'] === true) throw errorOf({ sql, tree, statementCount });
  const statements = tree['statements'];
  if (!Array.isArray(statements)) throw notUnderstood();
  if (statements.length !== 1 || statementCount !== 1) throw severalStatements(sql);
  const statement: unknown = statements[0];
  const fields = isRawNode(statement) ? Object.keys(statement) : [];
  if (!isRawNode(statement) || !fields.every((field) => field === 'node' || field === 'named_param_map')) {
    throw notUnderstood();
  }
  const node = statement['node'];
  if (!isRawNode(node)) throw notUnderstood();
  return node;
}

/** Errors of DuckDB whose advice nobody here can take, and what to say instead. */
const OTHER_WORDS: readonly (readonly [pattern: RegExp, code: ErrorCode, message: string])[] = [
  [
    /^Max expression depth limit/,
    'sql.not_allowed',
    'An expression goes too deep: at most 1,000 operators may follow each other. Use a list with IN, list_sum or the like.',
  ],
  [
    /^Mixing named and positional parameters/,
    'params.invalid',
    'A statement has either numbered parameters ($1, ?) or named ones ($name), and not both.',
  ],
];

const NOT_A_SELECT = 'Only SELECT statements can be serialized to json!';

/** DuckDB could not parse the statement, or it is no SELECT. */
function errorOf({ sql, tree, statementCount }: { sql: string; tree: RawNode; statementCount: number }): DomainError {
  const detail =
    typeof tree['error_message'] === 'string' ? tree['error_message'] : 'The statement was not understood.';
  const other = OTHER_WORDS.find(([pattern]) => pattern.test(detail));
  if (other) return refusal(sql, { code: other[1], message: other[2], byteOffset: 0 });
  // Whatever DuckDB could parse, but not write down as a tree, is none of the statements that the gate knows.
  if (detail === NOT_A_SELECT || tree['error_type'] !== 'parser') return notASelect(sql, statementCount);
  const position = Number(tree['position'] ?? Number.NaN);
  return refusal(sql, {
    code: 'sql.syntax',
    message: sentence(detail),
    // A few errors have no position: they mean the statement as a whole.
    byteOffset: Number.isSafeInteger(position) ? byteOffsetOfCodePoint(sql, position) : 0,
  });
}

/** PIVOT without IN counts as two statements: the first would read the values and make a type of them. */
function notASelect(sql: string, statementCount: number): DomainError {
  if (findSecondStatement(sql) !== undefined) return severalStatements(sql);
  const pivot = /\bPIVOT(?:_WIDER)?\b/i.exec(sql);
  if (statementCount > 1 && pivot) {
    const message = 'PIVOT needs its values: write PIVOT … ON column IN (value, …).';
    return refusalAt(sql, { code: 'sql.not_allowed', message, charIndex: pivot.index });
  }
  const word = findForbiddenWord(sql);
  const message = word ? `${word.text.toUpperCase()} is not allowed. ${ALLOWED_STATEMENTS}` : ALLOWED_STATEMENTS;
  return refusalAt(sql, { code: 'sql.not_allowed', message, charIndex: word?.index ?? 0 });
}

function severalStatements(sql: string): DomainError {
  const message = 'Send one statement at a time.';
  return refusalAt(sql, { code: 'sql.not_allowed', message, charIndex: findSecondStatement(sql) ?? 0 });
}

/** A tree that is none: refused like everything that is not known. */
function notUnderstood(): DomainError {
  const message = 'The statement was not understood.';
  return new DomainError('sql.not_allowed', message, { errors: [{ message, line: 1, column: 1 }] });
}

/** DuckDB's messages begin in lower case, have no full stop and may quote the whole statement. */
function sentence(text: string): string {
  const cut = text.length > 300 ? `${text.slice(0, 300)}…` : text;
  const capital = cut.charAt(0).toUpperCase() + cut.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
