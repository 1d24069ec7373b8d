import type { Column } from '@millrace/domain';

/** A table as a statement may see it: `datasets.<table>` or `results.<table>` over exactly these Parquet files. */
export interface TableInput {
  readonly schema: 'datasets' | 'results';
  readonly table: string;
  /** Local paths of files that a convert or query task wrote. */
  readonly files: readonly string[];
  /** The columns of the files, in order, with the names and logical types that people see. */
  readonly columns: readonly Column[];
}
