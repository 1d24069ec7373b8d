import { isOutOfMemory, readDuckdbError } from '../duckdb-error.js';
import { beyondLimit, conversionFailed } from './conversion-error.js';

/** An error of the CSV reader as a sentence about the file, with line, column and text. */
export function explainCsv(error: unknown): unknown {
  const duckdb = readDuckdbError(error);
  if (!duckdb || isOutOfMemory(duckdb) || duckdb.type === 'INTERRUPT') return error;
  const { message } = duckdb;
  const line = numberIn(/CSV Error on Line: (\d+)/, message);
  const [, head = message] =
    /^CSV Error on Line: \d+\n(?:Original Line: )?([^]*?)(?:\n\nPossible|\nPossible|\n\n {2}file|$)/.exec(message) ??
    [];
  if (/Maximum line size/i.test(message))
    return beyondLimit(`Line ${line ?? '?'} is longer than the limit for one line.`);
  return (
    mismatch(message, line, error) ??
    raggedLine(message, line, error) ??
    conversionFailed(reasonIn(message), { line, text: head }, error)
  );
}

/** Whether a value did not fit the type of its column, and which column. */
export function mismatchedColumn(error: unknown): string | undefined {
  return /Error when converting column "([^]*?)"\. /.exec(readDuckdbError(error)?.message ?? '')?.[1];
}

function mismatch(message: string, line: number | undefined, cause: unknown): Error | undefined {
  const found = /Error when converting column "([^]*?)"\. (Could not convert string "([^]*?)" to '([^']*)')?/.exec(
    message,
  );
  if (!found) return undefined;
  const [, columnName, , text, type] = found;
  const sentence =
    type === undefined ? 'A value does not fit its type.' : `"${(text ?? '').slice(0, 200)}" is no ${type}.`;
  return conversionFailed(`Column "${columnName}": ${sentence}`, { line, columnName, text }, cause);
}

function raggedLine(message: string, line: number | undefined, cause: unknown): Error | undefined {
  const found = /Original Line: ([^]*?)\nExpected Number of Columns: (\d+) Found: (\d+)/.exec(message);
  if (!found) return undefined;
  const [, text, expected, actual] = found;
  return conversionFailed(`There are ${actual} columns where ${expected} are expected.`, { line, text }, cause);
}

function reasonIn(message: string): string {
  if (/unterminated quote/i.test(message)) return 'A quote is not closed, or stands in the middle of a value.';
  if (/state machine reached an invalid state/.test(message)) return 'The file does not follow the rules of CSV.';
  if (/when sniffing file|not possible to automatically detect/i.test(message)) {
    return 'The way the file is written was not recognised. Say the delimiter, the quote and the escape character.';
  }
  const first =
    /(?:Original Line: [^\n]*\n)?([^\n]+)/.exec(message.replace(/^CSV Error on Line: \d+\n/, ''))?.[1] ?? message;
  return first.replace(/file ['"][^'"]*['"]/g, 'the file').slice(0, 500);
}

function numberIn(pattern: RegExp, text: string): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
