/**
 * A light scan of SQL text for what must be known before or beside the parser: where statements end. Strings, quoted
 * names, comments (block comments nest) and dollar quotes are skipped.
 */
const TOKEN = new RegExp(
  [
    /[eE]'(?:[^'\\]|\\[^]|'')*'?/,
    /'(?:[^']|'')*'?/,
    /"(?:[^"]|"")*"?/,
    /--[^\n\r]*/,
    /\/\*/,
    /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/,
    /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/,
    /\s+/,
    /[^]/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'y',
);

interface Token {
  readonly text: string;
  readonly start: number;
  readonly isBlank: boolean;
}

function* tokens(sql: string): Generator<Token> {
  let start = 0;
  while (start < sql.length) {
    TOKEN.lastIndex = start;
    const text = TOKEN.exec(sql)?.[0] ?? '';
    const end = endOf(sql, text, start);
    const isBlank = text === '/*' || text.startsWith('--') || text.trim() === '';
    yield { text: sql.slice(start, end), start, isBlank };
    start = end;
  }
}

function endOf(sql: string, text: string, start: number): number {
  if (text === '/*') return endOfComment(sql, start + 2);
  if (!/^\$[^$]*\$$/.test(text)) return start + text.length;
  const closing = sql.indexOf(text, start + text.length);
  return closing < 0 ? sql.length : closing + text.length;
}

function endOfComment(sql: string, from: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  let depth = 1;
  for (let found = mark.exec(sql); found; found = mark.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return sql.length;
}

/** The statements of a text, without the semicolons between and behind them; blank ones are left out. */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let hasContent = false;
  for (const token of tokens(sql)) {
    if (token.text === ';') {
      if (hasContent) statements.push(sql.slice(start, token.start));
      start = token.start + 1;
      hasContent = false;
    } else if (!token.isBlank) hasContent = true;
  }
  if (hasContent) statements.push(sql.slice(start));
  return statements;
}

/** The text up to its terminating semicolon, whatever blank follows that; places in it stay what they were. */
export function withoutTerminator(sql: string): string {
  let end: number | undefined;
  for (const token of tokens(sql)) {
    if (token.text === ';') end ??= token.start;
    else if (!token.isBlank) end = undefined;
  }
  return end === undefined ? sql : sql.slice(0, end);
}

/** The first word of a statement, in upper case. */
export function leadingKeyword(sql: string): string {
  for (const token of tokens(sql))
    if (!token.isBlank && token.text !== '(') return token.text.slice(0, 40).toUpperCase();
  return '';
}
