import type { CsvOptions } from '../../tasks/convert.task.js';
import type { SniffedCsv } from './csv-dialect.js';
import { DELIMITERS } from './csv-options.js';

/** The lines of the beginning of a file; the last one may be cut. */
export function linesOf(head: Buffer): string[] {
  return head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/);
}

/** Of those that are recognised, the one that a line has most of; undefined when it has none. */
export function frequentDelimiter(line: string): string | undefined {
  const outside = line.replace(/"[^"]*"/g, '');
  const counted = DELIMITERS.map((delimiter) => ({ delimiter, count: outside.split(delimiter).length - 1 }));
  const [most] = counted.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return most?.delimiter;
}

/** About the fields of a line: texts in quotes are left out. */
export function splitFields(line: string, delimiter: string, quote: string): string[] {
  const outside = quote === '' ? line : line.replaceAll(new RegExp(`\\${quote}[^\\${quote}]*\\${quote}`, 'g'), '');
  return outside.split(delimiter);
}

/** Where short rows are padded, the reader would make columns without a name for long ones, which are an error. */
export function withinHeader(
  sniffed: SniffedCsv,
  head: readonly string[],
  { ragged_rows: ragged }: CsvOptions,
): SniffedCsv {
  const { header, skip, delimiter, quote, comment } = sniffed.dialect;
  const isName = (line: string): boolean => line.trim() !== '' && (comment === '' || !line.startsWith(comment));
  const names = head.slice(skip).find(isName) ?? '';
  const goesOn = quote !== '' && names.split(quote).length % 2 === 0;
  if (ragged !== 'pad' || !header || goesOn) return sniffed;
  return { ...sniffed, columns: sniffed.columns.slice(0, splitFields(names, delimiter, quote).length) };
}
