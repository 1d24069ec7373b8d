import { refusalAt } from './refusal.js';
import type { SqlToken } from './sql-lexer.js';

/** DuckDB has two more: `yaml` does not work with ANALYZE, and `html` loads a style sheet from elsewhere. */
export const EXPLAIN_FORMATS = ['text', 'json', 'mermaid', 'graphviz'] as const;
export type ExplainFormat = (typeof EXPLAIN_FORMATS)[number];

/** How a statement is to be explained. */
export interface ExplainOptions {
  /** Whether it is run, and its plan shown with rows and times. */
  readonly analyze: boolean;
  readonly format: ExplainFormat;
}

export interface ExplainClause {
  readonly options: ExplainOptions;
  /** `EXPLAIN` and what belongs to it, comments between these left out. */
  readonly tokens: readonly SqlToken[];
}

const OPTIONS_SENTENCE = `EXPLAIN takes ANALYZE and FORMAT (${EXPLAIN_FORMATS.join(', ')}), in parentheses.`;
/** What may stand behind a parenthesis that is not the beginning of a query. */
const OPTION_WORDS: ReadonlySet<string> = new Set(['ANALYZE', 'ANALYSE', 'FORMAT', 'VERBOSE']);

/**
 * Reads `EXPLAIN`, `EXPLAIN ANALYZE` and `EXPLAIN (ANALYZE, FORMAT json)`. What is explained begins behind it, and has
 * to pass the gate as if it stood alone: only what was understood here is handed on, as options and not as text.
 *
 * @param tokens of the whole statement, from the word EXPLAIN on
 * @throws DomainError `sql.not_allowed` for options that are not known
 */
export function readExplain(sql: string, tokens: Iterable<SqlToken>): ExplainClause {
  return new ExplainReader(sql, tokens).read();
}

class ExplainReader {
  readonly #sql: string;
  readonly #tokens: Iterator<SqlToken>;
  readonly #read: SqlToken[] = [];
  #analyze = false;
  #format: ExplainFormat = 'text';

  constructor(sql: string, tokens: Iterable<SqlToken>) {
    this.#sql = sql;
    this.#tokens = tokens[Symbol.iterator]();
  }

  read(): ExplainClause {
    const explain = this.#next();
    const next = this.#next();
    if (isAnalyze(next)) return this.#clause([explain, next], true);
    if (next?.text !== '(') return this.#clause([explain], false);
    const option = this.#next();
    if (!option || !OPTION_WORDS.has(upper(option))) return this.#clause([explain], false);
    this.#readOptions(option);
    return this.#clause(this.#read, this.#analyze);
  }

  #readOptions(first: SqlToken): void {
    for (let option: SqlToken | undefined = first; ; option = this.#next()) {
      if (isAnalyze(option)) this.#analyze = true;
      else if (upper(option) === 'FORMAT') this.#format = this.#readFormat();
      else throw this.#refusal(option);
      const end = this.#next();
      if (end?.text === ')') return;
      if (end?.text !== ',') throw this.#refusal(end);
    }
  }

  #readFormat(): ExplainFormat {
    const token = this.#next();
    const name = token?.text.replace(/^'(.*)'$/s, '$1').toLowerCase();
    const format = EXPLAIN_FORMATS.find((each) => each === name);
    if (format === undefined) throw this.#refusal(token);
    return format;
  }

  #next(): SqlToken | undefined {
    const { value, done } = this.#tokens.next();
    if (done) return undefined;
    this.#read.push(value);
    return value;
  }

  #clause(tokens: readonly (SqlToken | undefined)[], analyze: boolean): ExplainClause {
    const present = tokens.filter((token) => token !== undefined);
    return { options: { analyze, format: this.#format }, tokens: present };
  }

  #refusal(token: SqlToken | undefined): Error {
    const charIndex = token?.index ?? this.#read[0]?.index ?? 0;
    return refusalAt(this.#sql, { code: 'sql.not_allowed', message: OPTIONS_SENTENCE, charIndex });
  }
}

function isAnalyze(token: SqlToken | undefined): boolean {
  return ['ANALYZE', 'ANALYSE'].includes(upper(token));
}

/** The word of a token in upper case; a quoted one keeps its quotes, and so is none. */
function upper(token: SqlToken | undefined): string {
  return token?.text.toUpperCase() ?? '';
}
