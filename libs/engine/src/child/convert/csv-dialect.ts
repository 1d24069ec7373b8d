import type { DuckDBConnection } from '@duckdb/node-api';
import type { ConvertLimits, CsvDialect, CsvOptions } from '../../tasks/convert.task.js';
import { quoteList, quoteLiteral } from '../../types/sql-text.js';

/** Twice the longest line that can be allowed, DuckDB's own default for a buffer being sixteen times. */
const BUFFER_BYTES_MIN = 32 * 1024 * 1024;

/** What the sniffer found. */
export interface SniffedCsv {
  readonly dialect: CsvDialect;
  readonly dateFormat: string | undefined;
  readonly timestampFormat: string | undefined;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

export interface SniffRequest {
  readonly path: string;
  readonly options: CsvOptions;
  readonly limits: ConvertLimits;
  /** Rows that the sniffer looks at; -1: all. */
  readonly sampleRows: number;
}

/** The text of the options that hold for sniffing and reading alike. */
function sharedOptions(options: CsvOptions, { lineBytesMax }: ConvertLimits): string[] {
  const bufferBytes = Math.max(BUFFER_BYTES_MIN, 2 * lineBytesMax);
  return [
    'strict_mode = true',
    // Rows that are padded can't be told from parts of rows by more than one reader.
    ...(options.ragged_rows === 'pad' ? ['null_padding = true', 'parallel = false'] : ['null_padding = false']),
    'ignore_errors = false',
    `max_line_size = ${lineBytesMax}`,
    `buffer_size = ${bufferBytes}`,
    // An empty value stays NULL beside the given texts.
    ...(options.null_strings ? [`nullstr = ${quoteList([...new Set([...options.null_strings, ''])])}`] : []),
    ...(options.decimal_separator ? [`decimal_separator = ${quoteLiteral(options.decimal_separator)}`] : []),
  ];
}

/**
 * Finds the dialect, with what is given held fast. The quote is `"` unless given: in a sample without quotes the
 * sniffer decides for none, and a quoted value behind the sample would keep its quotes.
 */
export async function sniffCsv(
  connection: DuckDBConnection,
  { path, options, limits, sampleRows }: SniffRequest,
): Promise<SniffedCsv> {
  const fixed = [
    `quote = ${quoteLiteral(options.quote ?? '"')}`,
    ...(options.delimiter === undefined ? [] : [`delim = ${quoteLiteral(options.delimiter)}`]),
    ...(options.escape === undefined ? [] : [`escape = ${quoteLiteral(options.escape)}`]),
    ...(options.header === undefined ? [] : [`header = ${options.header}`]),
    ...(options.skip === undefined ? [] : [`skip = ${options.skip}`]),
    `comment = ${quoteLiteral(options.comment ?? '')}`,
    ...(options.date_format === undefined ? [] : [`dateformat = ${quoteLiteral(options.date_format)}`]),
    ...(options.timestamp_format === undefined ? [] : [`timestampformat = ${quoteLiteral(options.timestamp_format)}`]),
    `sample_size = ${sampleRows}`,
  ];
  const call = [quoteLiteral(path), ...fixed, ...sharedOptions(options, limits)].join(', ');
  const reader = await connection.runAndReadAll(
    `SELECT Delimiter, Quote, Escape, Comment, SkipRows, HasHeader, DateFormat, TimestampFormat, ` +
      `list_transform("Columns", lambda c: c.name) AS names, list_transform("Columns", lambda c: c.type) AS types FROM sniff_csv(${call})`,
  );
  const [row] = reader.getRowObjectsJson();
  return toSniffed(row ?? {}, options);
}

function toSniffed(row: Record<string, unknown>, options: CsvOptions): SniffedCsv {
  const text = (name: string): string => {
    const value = row[name];
    return typeof value === 'string' && value !== '(empty)' ? value : '';
  };
  const quote = options.quote ?? '"';
  const names = row['names'] as string[];
  const types = row['types'] as string[];
  return {
    dialect: {
      delimiter: options.delimiter ?? text('Delimiter'),
      quote,
      escape: options.escape ?? (text('Escape') || quote),
      header: options.header ?? row['HasHeader'] === true,
      skip: Number(row['SkipRows'] ?? 0),
      comment: options.comment ?? '',
    },
    dateFormat: options.date_format ?? (text('DateFormat') || undefined),
    timestampFormat: options.timestamp_format ?? (text('TimestampFormat') || undefined),
    columns: names.map((name, index) => ({ name, type: types[index] ?? 'VARCHAR' })),
  };
}

/** The table function that reads a file exactly so: nothing is left to guess, and nothing that does not fit is skipped. */
export function readCsv(
  { path, options, limits }: Pick<SniffRequest, 'path' | 'options' | 'limits'>,
  { dialect, dateFormat, timestampFormat }: Omit<SniffedCsv, 'columns'>,
  columns: readonly { readonly name: string; readonly type: string }[],
): string {
  const fields = columns.map(({ name, type }) => `${quoteLiteral(name)}: ${quoteLiteral(type)}`).join(', ');
  const call = [
    quoteLiteral(path),
    'auto_detect = false',
    `delim = ${quoteLiteral(dialect.delimiter)}`,
    `quote = ${quoteLiteral(dialect.quote)}`,
    `escape = ${quoteLiteral(dialect.escape)}`,
    `header = ${dialect.header}`,
    `skip = ${dialect.skip}`,
    `comment = ${quoteLiteral(dialect.comment)}`,
    ...(dateFormat ? [`dateformat = ${quoteLiteral(dateFormat)}`] : []),
    ...(timestampFormat ? [`timestampformat = ${quoteLiteral(timestampFormat)}`] : []),
    ...sharedOptions(options, limits),
    'hive_partitioning = false',
    `columns = {${fields}}`,
  ];
  return `read_csv(${call.join(', ')})`;
}
