import type { ExplainOptions } from '@millrace/sql';
import type { QueryAnswer, QueryRequest } from './query.task.js';

/**
 * Answers EXPLAIN, DESCRIBE or SUMMARIZE, which has passed the gate: at once, without a file. What is explained is the
 * statement itself, without the word EXPLAIN.
 */
export interface InspectRequest extends Omit<QueryRequest, 'resultBytesMax'> {
  readonly explain?: ExplainOptions | undefined;
}

/** All rows count, those within the limits of the request are there. */
export type InspectAnswer = QueryAnswer;
