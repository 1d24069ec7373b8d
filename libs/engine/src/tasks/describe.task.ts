import type { Column } from '@millrace/domain';
import type { QueryRequest } from './query.task.js';

/**
 * Says which columns a SELECT has that has passed the gate, without running it. The inputs need no files: of a table
 * without any, its columns are all that is looked at.
 */
export type DescribeRequest = Pick<QueryRequest, 'sql' | 'params' | 'inputs'>;

export interface DescribeResult {
  readonly columns: readonly Column[];
}
