import { DomainError } from '@millrace/domain';
import { type DuckdbError, isOutOfMemory, readDuckdbError } from '../duckdb-error.js';
import { toStorageFull } from '../storage-full.js';
import { beyondLimit, conversionFailed } from './conversion-error.js';
import { type CsvRecord, findRecord, type RecordRules } from './csv-records.js';

/** How far behind the number that DuckDB says a record may begin: blank lines at the top are not in it. */
const SEARCHED_RECORDS = 100;

export interface CsvFile {
  readonly path: string;
  readonly rules: RecordRules;
}

/** Where in the file something is wrong. */
interface Place {
  readonly line: number | undefined;
  readonly text: string | undefined;
}

/** An error of the CSV reader as a sentence about the file, with line, column and text. */
export async function explainCsv(error: unknown, file: CsvFile): Promise<unknown> {
  const full = toStorageFull(error);
  if (full) return full;
  const duckdb = readDuckdbError(error);
  if (!duckdb || isOutOfMemory(duckdb) || duckdb.type === 'INTERRUPT') return error;
  const { message } = duckdb;
  if (/^Could not parse (DATE|TIMESTAMP)FORMAT|^(DELIMITER|QUOTE|ESCAPE|COMMENT)\b/i.test(message)) {
    return new DomainError('request.invalid', `The options do not fit: ${firstLine(message)}`, { cause: error });
  }
  const place = await placeOf(duckdb, file);
  if (/Maximum line size/i.test(message))
    return beyondLimit(`Line ${place.line ?? '?'} is longer than the limit for one line.`);
  return (
    mismatch(message, place, error) ??
    raggedLine(message, place, error) ??
    conversionFailed(reasonIn(message), place, error)
  );
}

/** Whether a value did not fit the type of its column, and which column. */
export function mismatchedColumn(error: unknown): string | undefined {
  return /Error when converting column "([^]*?)"\. /.exec(readDuckdbError(error)?.message ?? '')?.[1];
}

/** DuckDB counts records: a field of several lines makes its number smaller than the line that people see. */
async function placeOf({ message }: DuckdbError, { path, rules }: CsvFile): Promise<Place> {
  const number = numberIn(/CSV Error on Line: (\d+)/, message);
  const text = /^CSV Error on Line: \d+\n(?:Original Line: )?\s*([^\r\n]*)/.exec(message)?.[1] ?? '';
  if (number === undefined) return { line: undefined, text: undefined };
  const isIt = (record: CsvRecord): boolean =>
    record.number >= number && record.number < number + SEARCHED_RECORDS && record.head.startsWith(text);
  const record = await findRecord(path, rules, (each) => isIt(each) || each.number >= number + SEARCHED_RECORDS);
  return record && isIt(record) ? { line: record.line, text: record.head } : { line: number, text };
}

function mismatch(message: string, { line }: Place, cause: unknown): Error | undefined {
  const found = /Error when converting column "([^]*?)"\. (Could not convert string "([^]*?)" to '([^']*)')?/.exec(
    message,
  );
  if (!found) return undefined;
  const [, columnName, , text, type] = found;
  const sentence =
    type === undefined ? 'A value does not fit its type.' : `"${(text ?? '').slice(0, 200)}" is no ${type}.`;
  return conversionFailed(`Column "${columnName}": ${sentence}`, { line, columnName, text }, cause);
}

function raggedLine(message: string, place: Place, cause: unknown): Error | undefined {
  const found = /\nExpected Number of Columns: (\d+) Found: (\d+)/.exec(message);
  if (!found) return undefined;
  const [, expected, actual] = found;
  return conversionFailed(`There are ${actual} columns where ${expected} are expected.`, place, cause);
}

function reasonIn(message: string): string {
  if (/unterminated quote/i.test(message)) return 'A quote is not closed, or stands in the middle of a value.';
  if (/state machine reached an invalid state/.test(message)) return 'The file does not follow the rules of CSV.';
  if (/when sniffing file|not possible to automatically detect/i.test(message)) {
    return 'The way the file is written was not recognised. Say the delimiter, the quote and the escape character.';
  }
  return firstLine(message.replace(/^CSV Error on Line: \d+\n(?:Original Line: [^\n]*\n)?/, ''));
}

function firstLine(message: string): string {
  const [first = message] = message.trim().split('\n');
  return first.replace(/file ['"][^'"]*['"]/g, 'the file').slice(0, 500);
}

function numberIn(pattern: RegExp, text: string): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
