/** What DuckDB replaces by a plain space, outside of quotes and line comments, before it parses. */
const UNICODE_SPACE = '\\u00a0\\u2000-\\u200b\\u202f\\u205f\\u2060\\u3000\\ufeff';

const TAG_START = 'A-Za-z_\\u0080-\\uffff';

const PIECES = new RegExp(
  [
    `'[^']*(?:''[^']*)*'?`,
    `"[^"]*(?:""[^"]*)*"?`,
    `(\\$(?:[${TAG_START}][${TAG_START}0-9]*)?\\$)[\\s\\S]*?(?:\\1|$)`,
    `--[^\\r\\n]*`,
    `[${UNICODE_SPACE}]`,
  ].join('|'),
  'g',
);

const ANY_SPACE = new RegExp(`[${UNICODE_SPACE}]`);
const ONE_SPACE = new RegExp(`^[${UNICODE_SPACE}]$`);

/**
 * The statement with plain spaces where people (and office programs) left others. DuckDB does the same with its own
 * copy, and its positions then count the bytes of that copy: so this text is what is parsed, run and pointed into.
 * Lines and columns stay what they are in the original, since one code point becomes one.
 */
export function plainSpaces(sql: string): string {
  // Nearly every statement has none; taking one of 1 MiB apart can take a tenth of a second.
  if (!ANY_SPACE.test(sql)) return sql;
  return sql.replace(PIECES, (piece) => (ONE_SPACE.test(piece) ? ' ' : piece));
}
