import type { ConvertAnswer, ConvertRequest } from './convert.task.js';

/** Looks at an uploaded file as a conversion would, and keeps nothing. */
export interface AnalyzeRequest extends ConvertRequest {
  /** Of the uploaded file, of which `file` may hold the first bytes only. */
  readonly sizeBytes: number;
  /** Rows to show, at most. */
  readonly rowsMax: number;
  /** UTF-8 bytes of `rowsJson`, at most. */
  readonly answerBytesMax: number;
}

/** `nullable` and `warnings` are about what was looked at. */
export interface AnalyzeAnswer extends Omit<ConvertAnswer, 'rowCount' | 'profile'> {
  /** Whether all rows were looked at: then a conversion says the same. Else it may find more that decides types. */
  readonly isComplete: boolean;
  /** Of the whole file; null where that would take too long to find out. */
  readonly rowCount: number | null;
  /** The same where it is known, else what it will be about. */
  readonly rowEstimate: number;
  /** The first rows as the text of a JSON array of arrays. */
  readonly rowsJson: string;
  readonly rowsReturned: number;
}
