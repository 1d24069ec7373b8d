import type { AnalyzedStatement } from '@millrace/sql';

/**
 * Parses a statement without running or binding it, and judges its tree: `sql` of `recognizeStatement`. Needs no tenant
 * and no files. Fails as the gate does.
 */
export interface ParseRequest {
  readonly sql: string;
}

/** What passed the gate. The tree, which is up to 150 times as long as the text, does not leave the process. */
export interface ParseResult {
  readonly statement: AnalyzedStatement;
  /** SHA-256 of its `normalForm`, in hexadecimal: statements that are the same but for their layout have the same. */
  readonly fingerprint: string;
}
