import type { Column } from '@millrace/domain';
import type { RowFormat } from '../types/json-encoding.js';
import type { JsonValue } from './json-value.js';
import type { TableInput } from './table-input.js';

/** Runs one SELECT, which has passed the gate, once, into a Parquet file. */
export interface QueryRequest {
  readonly sql: string;
  /** An array for `$1…`, an object for `$name`. */
  readonly params?: readonly JsonValue[] | { readonly [name: string]: JsonValue } | undefined;
  /** SQL types that named parameters are cast to, by their names; what a value is by itself where there is none. */
  readonly paramTypes?: { readonly [name: string]: string } | undefined;
  readonly inputs: readonly TableInput[];
  /** Rows in `rowsJson`, at most. */
  readonly rowsMax: number;
  /** UTF-8 bytes of `rowsJson`, at most; a first row that is longer is left out as well. */
  readonly answerBytesMax: number;
  /** Of `rowsJson`; arrays when absent. The keys of objects are `uniqueColumnNames`. */
  readonly rowFormat?: RowFormat | undefined;
  /** Bytes of the result file, at most. */
  readonly resultBytesMax: number;
}

export interface QueryAnswer {
  readonly columns: readonly Column[];
  readonly rowCount: number;
  /** The first rows as the text of a JSON array of arrays or objects. */
  readonly rowsJson: string;
  readonly rowsReturned: number;
  /** Whether `rowsJson` leaves out rows of the result. */
  readonly truncated: boolean;
  /** From the start of the statement to the encoded rows. */
  readonly executionTimeMs: number;
}

export interface QueryResult extends QueryAnswer {
  /** The result, zstd Parquet in storage form, in a folder of the service. The caller moves or deletes it. */
  readonly filePath: string;
  readonly sizeBytes: number;
}
