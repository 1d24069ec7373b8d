import { DomainError } from '@millrace/domain';
import type { CsvOptions } from '../../tasks/convert.task.js';
import type { RecordRules } from './csv-records.js';

/** Those that are recognised. */
export const DELIMITERS = [',', ';', '\t', '|'];

/**
 * Whether the options can be meant together, before a file is looked at.
 *
 * @throws DomainError `request.invalid`
 */
export function checkOptions(options: CsvOptions): void {
  const { delimiter, quote, escape, comment, decimal_separator: separator, skip = 0 } = options;
  const { thousands_separator: thousands } = options;
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
  if (thousands !== undefined && (!THOUSANDS.includes(thousands) || thousands === (separator ?? '.'))) {
    throw invalidOption(
      'The option "thousands_separator" is "," "." "\'" "’" or a space, and not the "decimal_separator", which is "." when left out.',
    );
  }
  if (!Number.isSafeInteger(skip) || skip < 0) throw invalidOption('The option "skip" is a number of lines.');
}

/** Spaces that do not break a line, too. */
const THOUSANDS = [',', '.', "'", '’', ' ', '\u00a0', '\u202f'];

/** Where records end by the options. Before anything is sniffed, each delimiter is possible. */
export function recordRules({ delimiter, quote = '"', escape = quote, comment = '' }: CsvOptions): RecordRules {
  return { delimiters: delimiter === undefined ? DELIMITERS : [delimiter], quote, escape, comment };
}

function invalidOption(message: string): DomainError {
  return new DomainError('request.invalid', message);
}
