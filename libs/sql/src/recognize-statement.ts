import { DomainError, SQL_BYTES_MAX } from '@millrace/domain';
import { blankText, type TextRange } from './blank-text.js';
import { readExplain, type ExplainOptions } from './explain-clause.js';
import { plainSpaces } from './plain-spaces.js';
import { refusalAt } from './refusal.js';
import { significantTokens, type SqlToken } from './sql-lexer.js';

export interface RecognizedStatement {
  /**
   * What is to be parsed, run and pointed into from here on: the statement with plain spaces, and with spaces where
   * EXPLAIN stood.
   */
  readonly sql: string;
  /** The first word of `sql`, in upper case; undefined when a sign comes first, such as `(`. */
  readonly keyword: string | undefined;
  /** Set when the plan of `sql` is wanted, and not its rows. */
  readonly explain: ExplainOptions | undefined;
}

export const ALLOWED_STATEMENTS = 'A statement may only read: write a SELECT (or FROM …, WITH …, VALUES …).';

/**
 * First words of statements that are no SELECT. Not what keeps them out (that is the tree: only a SELECT has one),
 * but what lets the answer name them. A word that is in neither list goes to the parser.
 */
const OTHER_KEYWORDS: ReadonlySet<string> = new Set(
  (
    'ABORT ALTER ANALYZE ANALYSE ATTACH BEGIN CALL CHECKPOINT CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DELETE DETACH DROP END ' +
    'EXECUTE EXPLAIN EXPORT FORCE GRANT IMPORT INSERT INSTALL KILL LOAD MERGE PRAGMA PREPARE REINDEX REPLACE RESET REVOKE ROLLBACK SET START ' +
    'TRUNCATE UPDATE USE VACUUM'
  ).split(' '),
);

/**
 * Looks at the first word of a statement, behind comments and semicolons, before anything parses it. EXPLAIN is taken off:
 * DuckDB's tree has no place for it, and what it explains must pass the gate as if it stood alone.
 *
 * @throws DomainError `sql.empty`, `sql.too_long`, `sql.syntax` (a NUL: DuckDB would stop reading there),
 *   `sql.not_allowed`
 */
export function recognizeStatement(original: string): RecognizedStatement {
  checkLength(original);
  const sql = plainSpaces(original);
  const nul = sql.indexOf('\0');
  if (nul >= 0) {
    throw refusalAt(sql, { code: 'sql.syntax', message: 'A statement can not hold a NUL character.', charIndex: nul });
  }
  const first = firstToken(sql);
  if (!first) throw new DomainError('sql.empty', 'The statement is empty. Write a SELECT.');
  const keyword = keywordOf(first);
  if (keyword === 'EXPLAIN') return recognizeExplained(sql, first);
  checkKeyword(sql, first);
  return { sql, keyword, explain: undefined };
}

function recognizeExplained(sql: string, first: SqlToken): RecognizedStatement {
  const { options, tokens } = readExplain(sql, significantTokens(sql, first.index));
  // Only the words of EXPLAIN: a comment between them may hold characters of several bytes, and columns count characters.
  const inner = blankText(sql, tokens.map(rangeOf));
  const [explained] = significantTokens(inner, first.index);
  const message = 'EXPLAIN needs a statement to explain.';
  if (!explained || explained.kind === 'semicolon') {
    throw refusalAt(sql, { code: 'sql.syntax', message, charIndex: first.index });
  }
  checkKeyword(inner, explained);
  return { sql: inner, keyword: keywordOf(explained), explain: options };
}

function rangeOf({ index, text }: SqlToken): TextRange {
  return { start: index, end: index + text.length };
}

function checkLength(sql: string): void {
  // Every UTF-16 unit is at least one byte, so a much longer text need not be counted.
  if (sql.length <= SQL_BYTES_MAX && Buffer.byteLength(sql, 'utf8') <= SQL_BYTES_MAX) return;
  throw new DomainError('sql.too_long', `A statement may have at most ${SQL_BYTES_MAX} bytes.`);
}

function firstToken(sql: string): SqlToken | undefined {
  for (const token of significantTokens(sql)) {
    if (token.kind !== 'semicolon') return token;
  }
  return undefined;
}

function keywordOf(token: SqlToken): string | undefined {
  return token.kind === 'word' ? token.text.toUpperCase() : undefined;
}

function checkKeyword(sql: string, token: SqlToken): void {
  const keyword = keywordOf(token);
  if (keyword === undefined || !OTHER_KEYWORDS.has(keyword)) return;
  const message = `${keyword} is not allowed. ${ALLOWED_STATEMENTS}`;
  throw refusalAt(sql, { code: 'sql.not_allowed', message, charIndex: token.index });
}

/**
 * The word that makes a statement one that is not allowed, wherever the parser lets it stand: behind WITH, too. Undefined
 * when no such word is known.
 */
export function findForbiddenWord(sql: string): SqlToken | undefined {
  let depth = 0;
  let candidate: SqlToken | undefined;
  for (const token of significantTokens(sql)) {
    // `WITH update AS (…)` and `WITH update(a) AS (…)` only name something so.
    const isName = token.text === '(' || token.text.toUpperCase() === 'AS';
    if (candidate && !isName) return candidate;
    candidate = depth === 0 && OTHER_KEYWORDS.has(token.text.toUpperCase()) ? token : undefined;
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
  }
  return candidate;
}

/** Where a second statement begins, in UTF-16 units; undefined when there is none. */
export function findSecondStatement(sql: string): number | undefined {
  let inside = false;
  let ended = false;
  for (const token of significantTokens(sql)) {
    if (token.kind === 'semicolon') ended ||= inside;
    else if (ended) return token.index;
    else inside = true;
  }
  return undefined;
}
