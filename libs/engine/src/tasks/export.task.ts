import type { Column } from '@millrace/domain';

/**
 * What a stored table can leave as: CSV with a header; a JSON array of objects (`json`) or of arrays (`arrays`); an object
 * in each line (`ndjson`); an Arrow IPC stream (`arrow`).
 */
export const EXPORT_FORMATS = ['csv', 'json', 'arrays', 'ndjson', 'arrow'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Writes stored Parquet files, row by row and in their order, into a pipe. */
export interface ExportRequest {
  /** Local paths of files that a convert or query task wrote, in the order of their rows. */
  readonly files: readonly string[];
  /** The columns of the files; names may occur twice. */
  readonly columns: readonly Column[];
  readonly format: ExportFormat;
  /** Rows, at most; all when absent. */
  readonly limit?: number | undefined;
}

export interface ExportAnswer {
  readonly rowCount: number;
}
