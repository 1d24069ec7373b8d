import { significantTokens } from './sql-lexer.js';

/**
 * A statement that can stand within another one: without the semicolons in front of it, which become spaces, and without
 * its terminator and what follows that. So each place in it is a place in the given text.
 */
export function bareStatement(sql: string): string {
  const pieces: string[] = [];
  let start = 0;
  let isInside = false;
  let end: number | undefined;
  for (const { kind, index } of significantTokens(sql)) {
    if (kind !== 'semicolon') {
      isInside = true;
      end = undefined;
    } else if (isInside) {
      end ??= index;
    } else {
      pieces.push(sql.slice(start, index), ' ');
      start = index + 1;
    }
  }
  return pieces.join('') + sql.slice(start, end);
}
