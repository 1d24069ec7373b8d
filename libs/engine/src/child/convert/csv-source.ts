import type { DuckDBConnection } from '@duckdb/node-api';
import { DomainError } from '@millrace/domain';
import type { ConvertLimits, ConvertRequest, CsvDialect, CsvOptions } from '../../tasks/convert.task.js';
import { quoteIdentifier } from '../../types/sql-text.js';
import { checkColumns, checkCount } from './column-check.js';
import { applyPins } from './column-pins.js';
import { conversionFailed, noRows } from './conversion-error.js';
import { frequentDelimiter, linesOf, splitFields, withinHeader } from './csv-lines.js';
import { checkOptions, recordRules } from './csv-options.js';
import { readCsv, type SniffedCsv, sniffCsv, type SniffRequest } from './csv-dialect.js';
import { type CsvFile, explainCsv, mismatchedColumn } from './csv-error.js';
import { findRecord } from './csv-records.js';
import { readHead } from './decompress.js';
import { keptAsText, roundedToDouble, widenIntegers } from './exact-numbers.js';
import { type Effort, EffortFailedError } from './effort.js';
import { castOf, isCastFromText, type TextRules } from './exactness.js';
import { canCastExactly, castExactly, effortAfter } from './exact-casts.js';
import { typeGrouped } from './grouped-numbers.js';
import { findInexact, type Inexact } from './inexact-values.js';
import { countLineEnds } from './line-ends.js';
import type { SourceColumn, TableSource } from './table-source.js';

const SAMPLE_ROWS = 20_480;
const HEAD_BYTES = 1024 * 1024;

export interface CsvRequest {
  readonly path: string;
  readonly request: ConvertRequest;
  readonly limits: ConvertLimits;
  readonly effort: Effort;
}

/**
 * A CSV file. What is not given is sniffed, and then read with every option spelled out, so that a line that does not
 * fit is an error and never a guess. The first line is a header when `header` says so, else when DuckDB finds that it
 * differs in kind from the lines below; if all is text, the first line is the header.
 */
export async function openCsv(
  connection: DuckDBConnection,
  { path, request, limits, effort }: CsvRequest,
): Promise<TableSource> {
  const options = request.options ?? {};
  checkOptions(options);
  await checkSkip(path, options);
  const sniffing: SniffRequest = { path, options, limits, sampleRows: effort === 'whole' ? -1 : SAMPLE_ROWS };
  const rules = recordRules(options);
  const head = linesOf(await readHead(path, HEAD_BYTES));
  const found = await sniff(connection, sniffing, head).catch(async (error: unknown) => {
    throw await explainLineEnds(await explainCsv(error, { path, rules }), path);
  });
  const sniffed = withinHeader(found, head, options);
  const file: CsvFile = { path, rules: { ...rules, ...sniffed.dialect, delimiters: [sniffed.dialect.delimiter] } };
  const explain = async (error: unknown): Promise<unknown> => explainLineEnds(await explainCsv(error, file), path);
  checkColumns(sniffed.columns, limits);
  const pinned = applyPins(sniffed.columns, request.columns);
  const typed = await exactTypes(connection, sniffing, { sniffed, head, pinned, file, effort }).catch(
    async (error: unknown) => {
      throw await explain(error);
    },
  );
  return {
    columns: typed.columns,
    select: typed.select,
    dialect: sniffed.dialect,
    warnings: [...(await renamed(connection, sniffing, sniffed)), ...typed.warnings, ...guessedDates(sniffed, options)],
    explain,
    effortAfter: (error) => effortAfter(error) ?? effortAfterMismatch(error, typed.columns, effort),
  };
}

interface ReadCsv {
  readonly sniffed: SniffedCsv;
  readonly head: readonly string[];
  readonly pinned: readonly SourceColumn[];
  readonly file: CsvFile;
  readonly effort: Effort;
}

/** The types of the columns, with those widened that would change a value, and how to read them. */
async function exactTypes(
  connection: DuckDBConnection,
  sniffing: SniffRequest,
  { sniffed, head, pinned, file, effort }: ReadCsv,
): Promise<Pick<TableSource, 'columns' | 'select' | 'warnings'>> {
  await checkSkipped(connection, sniffing, { sniffed, head });
  const texts = sniffed.columns.map(({ name }) => ({ name, type: 'VARCHAR' }));
  const from = readCsv(sniffing, sniffed, texts);
  const sampleRows = effort === 'whole' ? undefined : SAMPLE_ROWS;
  const rules: TextRules = {
    hasDecimalComma: sniffing.options.decimal_separator === ',',
    thousands: sniffing.options.thousands_separator,
    dateFormat: sniffed.dateFormat,
    timestampFormat: sniffed.timestampFormat,
  };
  const typed = await typeGrouped(connection, pinned, { from, sampleRows, rules });
  const widened = await widenIntegers(connection, typed, { textFrom: () => from, sampleRows });
  if (effort === 'guarded' && canCastExactly(widened, rules)) {
    // Should a value be changed, the COPY ends there: looking at all of them before would take as long as the COPY does.
    const warnings = warningsOf({ typed, columns: widened, rounded: new Set() });
    return { columns: widened, select: castExactly(widened, from, rules), warnings };
  }
  const { changed, rounded } = await findInexact(connection, widened, {
    ...rules,
    from,
    refusesAll: false,
    lineOf: (row, text) => lineOfRow(file, { row, text, dialect: sniffed.dialect, width: sniffed.columns.length }),
  });
  // Types of a sample: those of the whole file may be exact.
  if (changed.size > 0 && effort !== 'whole') throw new EffortFailedError('whole');
  const columns = widened.map((column) => (changed.has(column.name) ? { ...column, type: 'VARCHAR' } : column));
  const items = columns.map((column) => {
    const name = quoteIdentifier(column.name);
    return isCastFromText(column, rules) ? `${castOf(column, rules)} AS ${name}` : name;
  });
  const read = columns.map((column) => (isCastFromText(column, rules) ? { ...column, type: 'VARCHAR' } : column));
  const select = `SELECT ${items.join(', ')} FROM ${readCsv(sniffing, sniffed, read)}`;
  return { columns, select, warnings: warningsOf({ typed, columns, rounded }) };
}

function warningsOf({
  typed,
  columns,
  rounded,
}: { readonly typed: readonly SourceColumn[] } & Pick<TableSource, 'columns'> & Pick<Inexact, 'rounded'>): string[] {
  const becameText = columns.filter(({ type }, index) => type === 'VARCHAR' && typed[index]?.type !== 'VARCHAR');
  return [...[...rounded].map(roundedToDouble), ...becameText.map(({ name }) => keptAsText(name))];
}

/** A value of a type that nobody pinned decides with the others, wherever it stands. */
function effortAfterMismatch(error: unknown, columns: readonly SourceColumn[], effort: Effort): Effort | undefined {
  const name = mismatchedColumn(error);
  const isPinned = columns.some((column) => column.name === name && column.isPinned);
  return name === undefined || isPinned || effort === 'whole' ? undefined : 'whole';
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

async function explainLineEnds(error: unknown, path: string): Promise<unknown> {
  const isVague = error instanceof DomainError && /rules of CSV|not recognised/.test(error.message);
  if (!isVague) return error;
  const { crlfCount, lfCount } = await countLineEnds(path);
  if (crlfCount === 0 || lfCount === 0) return error;
  return conversionFailed(
    `The line ends are mixed: ${crlfCount} are CRLF, ${lfCount} are LF. Use one kind.`,
    {},
    error,
  );
}

/** @throws DomainError `conversion.no_rows` */
async function checkSkip(path: string, { skip = 0 }: CsvOptions): Promise<void> {
  if (skip === 0) return;
  const { crlfCount, lfCount } = await countLineEnds(path);
  if (skip > crlfCount + lfCount) throw noRows(`The file has no more than the ${skip} lines to skip.`);
}
