import type { DuckDBConnection } from '@duckdb/node-api';
import { DomainError } from '@millrace/domain';
import type { ConvertLimits, ConvertRequest, CsvDialect, CsvOptions } from '../../tasks/convert.task.js';
import { quoteIdentifier } from '../../types/sql-text.js';
import { checkColumns, checkCount } from './column-check.js';
import { applyPins } from './column-pins.js';
import { conversionFailed, noRows } from './conversion-error.js';
import { readCsv, type SniffedCsv, sniffCsv, type SniffRequest } from './csv-dialect.js';
import { type CsvFile, explainCsv } from './csv-error.js';
import { findRecord, type RecordRules } from './csv-records.js';
import { readHead } from './decompress.js';
import { keptAsText, roundedToDouble, widenIntegers } from './exact-numbers.js';
import { findInexact, SampleMisledError } from './inexact-values.js';
import type { SourceColumn, TableSource } from './table-source.js';
import type { TextFacts } from './text-check.js';

const SAMPLE_ROWS = 20_480;
const HEAD_BYTES = 1024 * 1024;
const DELIMITERS = [',', ';', '\t', '|'];

export interface CsvRequest {
  readonly path: string;
  readonly request: ConvertRequest;
  readonly limits: ConvertLimits;
  readonly facts: TextFacts;
  /** Whether types come from the whole file and not from a sample. */
  readonly isWhole: boolean;
}

/**
 * A CSV file. What is not given is sniffed, and then read with every option spelled out, so that a line that does not
 * fit is an error and never a guess. The first line is a header when `header` says so, else when DuckDB finds that it
 * differs in kind from the lines below; if all is text, the first line is the header.
 */
export async function openCsv(
  connection: DuckDBConnection,
  { path, request, limits, facts, isWhole }: CsvRequest,
): Promise<TableSource> {
  const options = request.options ?? {};
  checkOptions(options);
  const { skip = 0 } = options;
  if (skip > facts.crlfCount + facts.lfCount) throw noRows(`The file has no more than the ${skip} lines to skip.`);
  const sniffing: SniffRequest = { path, options, limits, sampleRows: isWhole ? -1 : SAMPLE_ROWS };
  const rules = rulesOf(options);
  const head = linesOf(await readHead(path, HEAD_BYTES));
  const sniffed = await sniff(connection, sniffing, head).catch(async (error: unknown) => {
    throw explainLineEnds(await explainCsv(error, { path, rules }), facts);
  });
  const file: CsvFile = { path, rules: { ...rules, ...sniffed.dialect, delimiters: [sniffed.dialect.delimiter] } };
  const explain = async (error: unknown): Promise<unknown> => explainLineEnds(await explainCsv(error, file), facts);
  checkColumns(sniffed.columns, limits);
  const pinned = applyPins(sniffed.columns, request.columns);
  const typed = await exactTypes(connection, sniffing, { sniffed, head, pinned, file }).catch(
    async (error: unknown) => {
      throw await explain(error);
    },
  );
  const names = typed.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  return {
    columns: typed.columns,
    select: `SELECT ${names} FROM ${readCsv(sniffing, sniffed, typed.columns)}`,
    dialect: sniffed.dialect,
    warnings: [...(await renamed(connection, sniffing, sniffed)), ...typed.warnings, ...guessedDates(sniffed, options)],
    explain,
  };
}

interface ReadCsv {
  readonly sniffed: SniffedCsv;
  readonly head: readonly string[];
  readonly pinned: readonly SourceColumn[];
  readonly file: CsvFile;
}

/** The types of the columns, with those widened that would change a value. */
async function exactTypes(
  connection: DuckDBConnection,
  sniffing: SniffRequest,
  { sniffed, head, pinned, file }: ReadCsv,
): Promise<{ columns: readonly SourceColumn[]; warnings: string[] }> {
  await checkSkipped(connection, sniffing, { sniffed, head });
  const isWhole = sniffing.sampleRows < 0;
  const texts = sniffed.columns.map(({ name }) => ({ name, type: 'VARCHAR' }));
  const textFrom = (): string => readCsv(sniffing, sniffed, texts);
  const sampleRows = isWhole ? undefined : SAMPLE_ROWS;
  const widened = await widenIntegers(connection, pinned, { textFrom, sampleRows });
  const { changed, rounded } = await findInexact(connection, widened, {
    from: textFrom(),
    hasDecimalComma: sniffing.options.decimal_separator === ',',
    dateFormat: sniffed.dateFormat,
    timestampFormat: sniffed.timestampFormat,
    refusesAll: false,
    lineOf: (row, text) => lineOfRow(file, { row, text, dialect: sniffed.dialect, width: sniffed.columns.length }),
  });
  // Types of a sample: those of the whole file may be exact.
  if (changed.size > 0 && !isWhole) throw new SampleMisledError();
  const columns = widened.map((column) => (changed.has(column.name) ? { ...column, type: 'VARCHAR' } : column));
  const becameText = columns.filter(({ type }, index) => type === 'VARCHAR' && pinned[index]?.type !== 'VARCHAR');
  return {
    columns,
    warnings: [...[...rounded].map(roundedToDouble), ...becameText.map(({ name }) => keptAsText(name))],
  };
}

/** Sniffs; when that finds one column in a file whose first line has a delimiter, the lines below disagree with it. */
async function sniff(
  connection: DuckDBConnection,
  sniffing: SniffRequest,
  head: readonly string[],
): Promise<SniffedCsv> {
  const { options, limits } = sniffing;
  const first = head.slice(options.skip ?? 0).find((line) => line.trim() !== '') ?? '';
  const delimiter = options.delimiter ?? frequentDelimiter(first);
  // DuckDB tries tens of thousands of columns in each dialect, and needs more memory than it may have.
  if (delimiter !== undefined) checkCount(splitFields(first, delimiter, options.quote ?? '"').length, limits);
  const found = await sniffCsv(connection, sniffing).catch((error: unknown) => error);
  const isTrusted = isSniffed(found) && (options.delimiter !== undefined || found.columns.length > 1);
  if (isTrusted) return found;
  if (delimiter === undefined) {
    if (isSniffed(found)) return found;
    throw found;
  }
  return sniffWith(connection, sniffing, { delimiter, first, failure: found });
}

async function sniffWith(
  connection: DuckDBConnection,
  sniffing: SniffRequest,
  { delimiter, first, failure }: { delimiter: string; first: string; failure: unknown },
): Promise<SniffedCsv> {
  const options = { ...sniffing.options, delimiter };
  const found = await sniffCsv(connection, { ...sniffing, options }).catch(() => undefined);
  if (found && found.columns.length > 1 && found.dialect.skip <= (options.skip ?? 0)) return found;
  const quote = options.quote ?? '"';
  const dialect = {
    delimiter,
    quote,
    escape: options.escape ?? quote,
    header: true,
    skip: 0,
    comment: options.comment ?? '',
  };
  await readStrictly(connection, { ...sniffing, options }, { dialect, first });
  if (found && found.columns.length > 1) return found;
  throw isSniffed(failure)
    ? conversionFailed('The delimiter was not recognised. Give it as an option.', { line: 1, text: first })
    : failure;
}

function isSniffed(value: unknown): value is SniffedCsv {
  return typeof value === 'object' && value !== null && 'dialect' in value;
}

/** Lines that the sniffer left out of its own accord hold data, unless they are blank. */
async function checkSkipped(
  connection: DuckDBConnection,
  sniffing: SniffRequest,
  { sniffed, head }: { sniffed: SniffedCsv; head: readonly string[] },
): Promise<void> {
  const { dialect } = sniffed;
  const { skip = 0 } = sniffing.options;
  const left = head.slice(skip, dialect.skip);
  if (dialect.skip <= skip || left.every((line) => line.trim() === '')) return;
  const [first = '', second = ''] = head.slice(skip).filter((line) => line.trim() !== '');
  const widthOf = (line: string): number => splitFields(line, dialect.delimiter, dialect.quote).length;
  // A table that begins as it should: then it is a later line that does not fit.
  if (widthOf(first) > 1 && widthOf(first) === widthOf(second))
    await readStrictly(connection, sniffing, { dialect, first });
  const line = skip + left.findIndex((text) => text.trim() !== '') + 1;
  throw conversionFailed(
    `The lines up to line ${dialect.skip} do not fit the table that follows. Leave them out with the option "skip": ` +
      `${dialect.skip}, name their "comment" character, or mend them.`,
    { line, text: head[line - 1] },
  );
}

/** Reads all of a file as texts, as wide as its first line; the error of the first line that is not says which it is. */
async function readStrictly(
  connection: DuckDBConnection,
  sniffing: SniffRequest,
  { dialect, first }: { dialect: CsvDialect; first: string },
): Promise<void> {
  const columns = splitFields(first, dialect.delimiter, dialect.quote).map((_, index) => ({
    name: `column${index}`,
    type: 'VARCHAR',
  }));
  const strict = {
    dialect: { ...dialect, header: true, skip: sniffing.options.skip ?? 0 },
    dateFormat: undefined,
    timestampFormat: undefined,
  };
  await connection.run(`SELECT count(*), max(column0) FROM ${readCsv(sniffing, strict, columns)}`);
}

/** A sentence for each column whose name in the file could not be kept. */
async function renamed(connection: DuckDBConnection, sniffing: SniffRequest, sniffed: SniffedCsv): Promise<string[]> {
  if (!sniffed.dialect.header) return [];
  const columns = sniffed.columns.map((_, index) => ({ name: `column${index}`, type: 'VARCHAR' }));
  const withoutHeader = { ...sniffed, dialect: { ...sniffed.dialect, header: false } };
  const reader = await connection
    .runAndReadAll(`SELECT * FROM ${readCsv(sniffing, withoutHeader, columns)} LIMIT 1`)
    .catch(() => undefined);
  const written = reader?.getRows()[0] ?? [];
  return sniffed.columns.flatMap(({ name }, index) => {
    const original = String(written[index] ?? '');
    if (index >= written.length || original.trim() === name) return [];
    const what = original === '' ? 'has no name' : `is called "${original}" like another`;
    return [`Column ${index + 1} ${what}; it is "${name}" here.`];
  });
}

function guessedDates({ dateFormat }: SniffedCsv, options: CsvOptions): string[] {
  if (dateFormat === undefined || options.date_format !== undefined || dateFormat === '%Y-%m-%d') return [];
  return [`Dates are read as ${dateFormat}. Give "date_format" if they are meant otherwise.`];
}

/** Before anything is sniffed, each delimiter is possible. */
function rulesOf({ delimiter, quote = '"', escape = quote, comment = '' }: CsvOptions): RecordRules {
  return { delimiters: delimiter === undefined ? DELIMITERS : [delimiter], quote, escape, comment };
}

/** The line of the n-th row below the header; undefined when that line does not hold the text. */
async function lineOfRow(
  { path, rules }: CsvFile,
  { row, text, dialect, width }: { row: number; text: string; dialect: CsvDialect; width: number },
): Promise<number | undefined> {
  let rowsLeft = row + (dialect.header ? 1 : 0);
  const record = await findRecord(path, rules, ({ number, kind }) => {
    // An empty line is a NULL where there is one column, but not above the header.
    const isRow = kind === 'data' || (kind === 'blank' && width === 1 && rowsLeft <= row);
    if (number > dialect.skip && isRow) rowsLeft -= 1;
    return rowsLeft === 0;
  });
  return record?.head.includes(text.replaceAll('"', '""')) || record?.head.includes(text) ? record.line : undefined;
}

function explainLineEnds(error: unknown, { crlfCount, lfCount }: TextFacts): unknown {
  const isVague = error instanceof DomainError && /rules of CSV|not recognised/.test(error.message);
  if (!isVague || crlfCount === 0 || lfCount === 0) return error;
  return conversionFailed(
    `The line ends are mixed: ${crlfCount} are CRLF, ${lfCount} are LF. Use one kind.`,
    {},
    error,
  );
}

/** @throws DomainError `request.invalid` */
function checkOptions(options: CsvOptions): void {
  const { delimiter, quote, escape, comment, decimal_separator: separator, skip = 0 } = options;
  const characters = Object.entries({ quote, escape, comment });
  const tooLong = characters.find(([, text]) => text !== undefined && Buffer.byteLength(text) > 1);
  if (tooLong) throw invalidOption(`The option "${tooLong[0]}" is at most one ASCII character.`);
  if (delimiter !== undefined && (delimiter === '' || Buffer.byteLength(delimiter) > 4)) {
    throw invalidOption('The option "delimiter" is 1 to 4 bytes long.');
  }
  if (Object.values({ delimiter, quote, escape, comment }).some((text) => text !== undefined && /[\r\n]/.test(text))) {
    throw invalidOption('No option may be a line end.');
  }
  const different = [delimiter, quote, comment].filter((text) => text !== undefined && text !== '');
  if (new Set(different).size < different.length || (escape && [delimiter, comment].includes(escape))) {
    throw invalidOption('The options "delimiter", "quote" and "comment" are different characters.');
  }
  if (separator !== undefined && separator !== '.' && separator !== ',') {
    throw invalidOption('The option "decimal_separator" is "." or ",".');
  }
  if (!Number.isSafeInteger(skip) || skip < 0) throw invalidOption('The option "skip" is a number of lines.');
}

function invalidOption(message: string): DomainError {
  return new DomainError('request.invalid', message);
}

function linesOf(head: Buffer): string[] {
  return head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/);
}

function frequentDelimiter(line: string): string | undefined {
  const outside = line.replace(/"[^"]*"/g, '');
  const counted = DELIMITERS.map((delimiter) => ({ delimiter, count: outside.split(delimiter).length - 1 }));
  const [most] = counted.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return most?.delimiter;
}

function splitFields(line: string, delimiter: string, quote: string): string[] {
  const outside = quote === '' ? line : line.replaceAll(new RegExp(`\\${quote}[^\\${quote}]*\\${quote}`, 'g'), '');
  return outside.split(delimiter);
}
