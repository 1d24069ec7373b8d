import type { CsvDialect } from '../../tasks/convert.task.js';
import type { Effort } from './effort.js';

/** A column on its way into a dataset. */
export interface SourceColumn {
  readonly name: string;
  readonly type: string;
  readonly isPinned: boolean;
}

/** A file that DuckDB can read as a table. */
export interface TableSource {
  readonly columns: readonly SourceColumn[];
  /** A SELECT of the columns, in order. */
  readonly select: string;
  readonly dialect: CsvDialect | undefined;
  readonly warnings: readonly string[];
  /** What an error of DuckDB says about the file; it may have to look into it. */
  readonly explain: (error: unknown) => Promise<unknown>;
  /** With how much more effort the file may still be read after an error of the SELECT; undefined for with none. */
  readonly effortAfter: (error: unknown) => Effort | undefined;
  /**
   * What has to be made sure of before the table counts, while it is written.
   *
   * @throws EffortFailedError
   */
  readonly prove?: (signal: AbortSignal) => Promise<void>;
}
