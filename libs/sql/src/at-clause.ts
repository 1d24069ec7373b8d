import { blankText, type TextRange } from './blank-text.js';
import { refusalAt } from './refusal.js';
import { significantTokens, type SqlToken } from './sql-lexer.js';
import type { TableVersion } from './table-version.js';
import { charIndexesOf } from './text-place.js';

/** A table with an AT clause, as DuckDB's tree has it. */
export interface VersionedName {
  /** Where its name begins, in UTF-8 bytes. */
  readonly byteOffset: number;
  /** How many parts its name has: 3 for `datasets.main.sales`. */
  readonly nameParts: number;
}

/**
 * The statement as DuckDB can run it: with spaces where the AT clauses of these tables stand. Places in it, given in bytes,
 * are places in the given text.
 *
 * @throws Error when a table has no AT clause there: the tree and the text do not belong together
 */
export function withoutAtClauses(sql: string, tables: readonly VersionedName[]): string {
  return blankText(sql, findAtClauses(sql, tables));
}

/**
 * For who can not read versions yet.
 *
 * @throws DomainError `sql.not_allowed` at the first AT
 */
export function refuseVersions(
  sql: string,
  tables: readonly (VersionedName & { readonly version: TableVersion | undefined })[],
): void {
  const versioned = tables.find(({ version }) => version !== undefined);
  if (!versioned) return;
  // One is enough, and to look for each would take as long as whoever read the tree says.
  const [first] = findAtClauses(sql, [versioned]);
  const message = 'AT (VERSION …) and AT (TIMESTAMP …) are not supported yet. Leave it out to read the newest version.';
  throw refusalAt(sql, { code: 'sql.not_allowed', message, charIndex: first?.start ?? 0 });
}

/** Where the AT clauses of tables stand, from the word AT to its closing parenthesis. */
export function findAtClauses(sql: string, tables: readonly VersionedName[]): TextRange[] {
  const starts = charIndexesOf(
    sql,
    tables.map(({ byteOffset }) => byteOffset),
  );
  return tables.map(({ nameParts }, index) => findAtClause(sql, starts[index] ?? 0, nameParts));
}

/**
 * Behind the name come an alias and the names of columns, and then AT: the word, since an alias of that name has quotes.
 */
function findAtClause(sql: string, nameStart: number, nameParts: number): TextRange {
  let partsSeen = 0;
  let start: number | undefined;
  let depth = 0;
  for (const token of significantTokens(sql, nameStart)) {
    if (partsSeen < nameParts) partsSeen += token.text === '.' ? 0 : 1;
    else if (start === undefined && depth === 0 && isAt(token)) start = token.index;
    else depth += depthOf(token);
    if (start !== undefined && token.text === ')' && depth === 0) return { start, end: token.index + 1 };
  }
  throw new Error('The AT clause of a table was not found.');
}

function isAt({ kind, text }: SqlToken): boolean {
  return kind === 'word' && text.toUpperCase() === 'AT';
}

function depthOf({ text }: SqlToken): number {
  if (text === '(') return 1;
  return text === ')' ? -1 : 0;
}
