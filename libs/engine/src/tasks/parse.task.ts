/** Parses a statement without running or binding it. Needs no tenant and no files. */
export interface ParseRequest {
  readonly sql: string;
}

export interface ParseAnswer {
  /** Statements in the text, as `extractStatements` counts them; 0 when it is blank or does not parse. */
  readonly statementCount: number;
  /** What `json_serialize_sql` gave: as text, which crosses between processes in a tenth of the time of its objects. */
  readonly treeJson: string;
}

export interface ParseResult {
  readonly statementCount: number;
  /** What `json_serialize_sql` gave: the syntax trees, or what is wrong with the text. For `analyzeStatement` to judge. */
  readonly tree: unknown;
}
