export interface SqlToken {
  readonly kind: 'word' | 'semicolon' | 'other';
  readonly text: string;
  /** Where it begins, in UTF-16 units. */
  readonly index: number;
}

const BLANK = /(?:\s+|--[^\r\n]*)+/y;
const WORD = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const QUOTED = new RegExp(
  [
    `[eE]'[^'\\\\]*(?:(?:\\\\[\\s\\S]|'')[^'\\\\]*)*'?`,
    `'[^']*(?:''[^']*)*'?`,
    `"[^"]*(?:""[^"]*)*"?`,
    `(\\$(?:[A-Za-z_\\u0080-\\uffff][A-Za-z0-9_\\u0080-\\uffff]*)?\\$)[\\s\\S]*?(?:\\1|$)`,
  ].join('|'),
  'y',
);

/**
 * The words and signs of a statement, without blanks and comments; quoted text is one token. Only good enough to find
 * the first words and to say where a second statement begins: what a statement means is for DuckDB's parser to say.
 *
 * @param from where a token begins, in UTF-16 units
 */
export function* significantTokens(sql: string, from = 0): Generator<SqlToken> {
  let index = from;
  while (index < sql.length) {
    const skipped = endOf(BLANK, sql, index) ?? endOfComment(sql, index);
    if (skipped !== undefined) {
      index = skipped;
      continue;
    }
    const token = tokenAt(sql, index);
    yield token;
    index += token.text.length;
  }
}

function tokenAt(sql: string, index: number): SqlToken {
  const quotedEnd = endOf(QUOTED, sql, index);
  if (quotedEnd !== undefined) return { kind: 'other', text: sql.slice(index, quotedEnd), index };
  const wordEnd = endOf(WORD, sql, index);
  if (wordEnd !== undefined) return { kind: 'word', text: sql.slice(index, wordEnd), index };
  const text = sql.charAt(index);
  return { kind: text === ';' ? 'semicolon' : 'other', text, index };
}

/** Where a match that begins at an index ends; undefined when there is none. */
function endOf(pattern: RegExp, sql: string, index: number): number | undefined {
  pattern.lastIndex = index;
  return pattern.test(sql) ? pattern.lastIndex : undefined;
}

const COMMENT_MARK = /\/\*|\*\//g;

/** Block comments nest. One that is not closed goes to the end. */
function endOfComment(sql: string, index: number): number | undefined {
  if (!sql.startsWith('/*', index)) return undefined;
  let depth = 0;
  COMMENT_MARK.lastIndex = index;
  for (let mark = COMMENT_MARK.exec(sql); mark; mark = COMMENT_MARK.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return COMMENT_MARK.lastIndex;
  }
  return sql.length;
}
