import type { ExportFormat } from '../../tasks/export.task.js';
import { csvExpression, csvNeedsQuotes, csvRowsSelect } from '../../types/csv-encoding.js';
import { jsonRowExpression, jsonStringInside, type RowFormat } from '../../types/json-encoding.js';
import type { NamedColumn } from '../../types/named-columns.js';
import { quoteIdentifier } from '../../types/sql-text.js';

export type TextFormatName = Exclude<ExportFormat, 'arrow'>;

/** Everything spelled out: a name that ends in `.gz`, or a default of DuckDB, decides nothing. */
const CSV_OPTIONS = `FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR ''`;
/**
 * Lines as they are. A JSON text has no control characters, so there is nothing to quote; and it is never empty, which
 * would be quoted as well.
 */
const LINE_OPTIONS = `FORMAT csv, HEADER false, DELIMITER '\u0001', QUOTE '\u0002', ESCAPE '\u0002', NULLSTR ''`;

/**
 * How rows become lines: whole, by a COPY, or a part of the columns at a time. Both give the same bytes. The reader of the
 * pipe adds the header of a CSV file and the brackets of a JSON array: there, each line is `,<row>`, and the first comma
 * makes place for the bracket.
 */
export interface TextFormat {
  /** The options of the COPY. */
  readonly copyOptions: string;
  /** What it selects from the columns: texts only. */
  readonly copyItems: (columns: readonly NamedColumn[]) => string;
  /** The expression that encodes a column. */
  readonly encoded: (column: NamedColumn) => string;
  /** A SELECT of one text for each row of another, of the columns of a part. */
  readonly selectTexts: (columns: readonly NamedColumn[], rows: string) => string;
  /** What stands around a row in its line, and around the text of each part of it, where it goes. */
  readonly line: { readonly open: string; readonly close: string; readonly partBrackets: 0 | 1 };
  /** The text of a column that is encoded slice by slice, as SQL: the sign around it, and a slice without that. */
  readonly longText: {
    readonly key: (name: string) => string;
    readonly quote: (value: string) => string;
    readonly slice: (value: string) => string;
  };
}

export function textFormat(format: TextFormatName): TextFormat {
  switch (format) {
    case 'csv':
      return CSV;
    case 'json':
      return jsonFormat('objects', ',');
    case 'arrays':
      return jsonFormat('arrays', ',');
    case 'ndjson':
      return jsonFormat('objects', '');
  }
}

const csvItem = ({ name, type }: NamedColumn): string => csvExpression(type, quoteIdentifier(name));

const CSV: TextFormat = {
  copyOptions: CSV_OPTIONS,
  copyItems: (columns) => columns.map(csvItem).join(', ') || 'NULL',
  encoded: csvItem,
  selectTexts: csvRowsSelect,
  line: { open: '', close: '\n', partBrackets: 0 },
  longText: {
    key: () => '',
    quote: (value) => `CASE WHEN ${csvNeedsQuotes(value)} THEN '"' ELSE '' END`,
    slice: (value) => `replace(${value}, '"', '""')`,
  },
};

function jsonFormat(rowFormat: RowFormat, before: '' | ','): TextFormat {
  const row = (columns: readonly NamedColumn[]): string => jsonRowExpression(columns, rowFormat);
  const [open, close] = rowFormat === 'arrays' ? ['[', ']'] : ['{', '}'];
  return {
    copyOptions: LINE_OPTIONS,
    copyItems: (columns) => (before === '' ? row(columns) : `'${before}' || ${row(columns)}`),
    encoded: (column) => row([column]),
    selectTexts: (columns, rows) => `SELECT ${row(columns)} FROM (${rows})`,
    line: { open: before + open, close: `${close}\n`, partBrackets: 1 },
    longText: {
      key: (name) => (rowFormat === 'arrays' ? '' : `${JSON.stringify(name)}:`),
      quote: () => `'"'`,
      slice: jsonStringInside,
    },
  };
}
