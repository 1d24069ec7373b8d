import { bareStatement } from '@millrace/sql';
import type { DescribeRequest, DescribeResult } from '../tasks/describe.task.js';
import { columnsOf } from './describe-columns.js';
import { withViews } from './input-views.js';
import { prepareStatement } from './prepare-statement.js';
import type { TaskContext } from './task-context.js';

/** Binds a statement as a run would, and stops there. */
export async function runDescription(
  { sql, params, inputs }: DescribeRequest,
  { connection }: TaskContext,
): Promise<DescribeResult> {
  return withViews(connection, inputs, async () => {
    const prepared = await prepareStatement(bareStatement(sql), { params }, connection);
    return { columns: await columnsOf(prepared, connection) };
  });
}
