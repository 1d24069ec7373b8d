/** Parses a statement without running or binding it. Needs no tenant and no files. */
export interface ParseRequest {
  readonly sql: string;
}

export interface ParseResult {
  /** Statements in the text; 0 when it holds only spaces and comments. */
  readonly statementCount: number;
  /**
   * The syntax trees of the statements as `json_serialize_sql` gives them; positions count UTF-8 bytes. Empty when
   * there is more than one statement and not all of them are SELECTs: the gate refuses such a text anyway.
   */
  readonly tree: readonly unknown[];
}
