import type { ErrorRecord } from '@millrace/domain';
import type { ChildFault } from '../pool/wire.js';
import type { TaskAnswer } from '../tasks/task.js';

export interface FailedTask {
  readonly error: ErrorRecord;
  readonly fault: ChildFault | undefined;
}

/** How a task ended, in the form that crosses to the supervisor. */
export type TaskOutcome = { readonly answer: TaskAnswer } | FailedTask;
