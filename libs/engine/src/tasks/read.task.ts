import type { Column } from '@millrace/domain';
import type { RowFormat } from '../types/json-encoding.js';

/** Reads a page of stored Parquet files. */
export interface ReadRequest {
  /** Local paths of files that a convert or query task wrote, in the order of their rows. */
  readonly files: readonly string[];
  /** The columns of the files; names may occur twice. */
  readonly columns: readonly Column[];
  /** Rows to skip. */
  readonly offset: number;
  /** Rows in the page, at most. */
  readonly limit: number;
  /** UTF-8 bytes of `rowsJson`, at most. */
  readonly answerBytesMax: number;
  /** Of `rowsJson`; arrays when absent. The keys of objects are `uniqueColumnNames`. */
  readonly rowFormat?: RowFormat | undefined;
}

export interface ReadResult {
  /** The page as the text of a JSON array of arrays or objects. */
  readonly rowsJson: string;
  readonly rowsReturned: number;
  readonly totalRowCount: number;
  /** Whether `answerBytesMax` cut the page short of `limit`. */
  readonly truncated: boolean;
}
