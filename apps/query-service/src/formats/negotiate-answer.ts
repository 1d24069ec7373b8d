import { ROW_FORMATS, type AnswerFormat, type RowFormat, type TableFormat } from '@millrace/contract';
import { negotiateFormat, type FormatWish } from './negotiate-format.js';

/** What `Accept` can choose: JSON, which tells more than the rows, comes first. */
const NEGOTIATED: readonly (AnswerFormat & TableFormat)[] = ['json', 'ndjson', 'csv', 'arrow', 'parquet'];

/**
 * What an answer with rows is sent as: within JSON unless asked for otherwise.
 *
 * @throws DomainError `format.not_acceptable`
 */
export function negotiateAnswer(wish: FormatWish<AnswerFormat>): AnswerFormat {
  return negotiateFormat(wish, NEGOTIATED);
}

export function isRowFormat(format: AnswerFormat): format is RowFormat {
  return (ROW_FORMATS as readonly AnswerFormat[]).includes(format);
}
