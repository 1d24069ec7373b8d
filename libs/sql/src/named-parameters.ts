import { refusalAt } from './refusal.js';
import { significantTokens } from './sql-lexer.js';

/**
 * The names behind `$` in a statement, each once, in the order in which they come first. DuckDB has them without regard to
 * case, and they are given as they are written.
 *
 * @throws DomainError `sql.not_allowed` for parameters without names, with their place
 */
export function namedParameters(sql: string): string[] {
  const names = new Map<string, string>();
  let dollarAt: number | undefined;
  for (const { kind, text, index } of significantTokens(sql)) {
    if (text === '?' || (dollarAt === index - 1 && /^\d/.test(text))) throw unnamed(sql, dollarAt ?? index);
    if (dollarAt === index - 1 && kind === 'word' && !names.has(text.toLowerCase()))
      names.set(text.toLowerCase(), text);
    dollarAt = text === '$' ? index : undefined;
  }
  return [...names.values()];
}

function unnamed(sql: string, charIndex: number): Error {
  const message = 'The parameters of a saved query have names: write $name.';
  return refusalAt(sql, { code: 'sql.not_allowed', message, charIndex });
}
