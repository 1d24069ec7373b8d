/** One column of a table as people see it: the name they gave, DuckDB's SQL type, whether NULL can occur. */
export interface Column {
  readonly name: string;
  /** SQL type in DuckDB's own spelling, nested types included: `STRUCT(a INTEGER, b VARCHAR[])`. */
  readonly type: string;
  readonly nullable: boolean;
}
