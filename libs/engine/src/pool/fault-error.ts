import { DomainError, type ErrorCode } from '@millrace/domain';
import type { TaskKind } from '../tasks/task.js';

/** Why a task was ended from outside, or its child was lost. */
export type TaskFault = 'deadline' | 'cancelled' | 'memory' | 'crashed';

const QUERY_CODES: Record<TaskFault, ErrorCode> = {
  deadline: 'query.deadline',
  cancelled: 'query.cancelled',
  memory: 'query.memory',
  crashed: 'query.crashed',
};

const CONVERSION_CODES: Record<TaskFault, ErrorCode> = {
  deadline: 'conversion.deadline',
  cancelled: 'job.cancelled',
  memory: 'conversion.memory',
  crashed: 'conversion.crashed',
};

const DETAILS: Record<TaskFault, string> = {
  deadline: 'ran into its time limit. Ask for less at once, or for a longer limit.',
  cancelled: 'was cancelled.',
  memory: 'needs more memory than it may have. Ask for less at once.',
  crashed: 'was lost because its process ended unexpectedly. It may be tried again.',
};

/** The error that a caller gets for a fault. */
export function faultError(kind: TaskKind, fault: TaskFault): DomainError {
  const code = (kind === 'convert' ? CONVERSION_CODES : QUERY_CODES)[fault];
  return new DomainError(code, `The ${kind === 'convert' ? 'conversion' : 'statement'} ${DETAILS[fault]}`);
}
