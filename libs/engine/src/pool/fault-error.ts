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

const QUERY_DETAILS: Record<TaskFault, string> = {
  deadline: 'The statement ran into its time limit. Ask for less at once, or for a longer limit.',
  cancelled: 'The statement was cancelled.',
  memory: 'The statement needs more memory than it may have. Ask for less at once.',
  crashed: 'The statement was lost because its process ended unexpectedly. It may be tried again.',
};

const PARSE_DETAILS: Record<TaskFault, string> = {
  ...QUERY_DETAILS,
  deadline: 'The statement takes too long to be parsed. Write it simpler, and put long lists into a dataset.',
  memory: 'The statement has too many parts. Put long lists into a dataset, and join it.',
};

const CONVERSION_DETAILS: Record<TaskFault, string> = {
  deadline: 'The conversion ran into its time limit. Split the file.',
  cancelled: 'The conversion was cancelled.',
  memory: 'The conversion needs more memory than it may have. Split the file, or pin columns of nested values to JSON.',
  crashed: 'The conversion was lost because its process ended unexpectedly. It may be tried again.',
};

const ANALYSIS_CODES: Record<TaskFault, ErrorCode> = { ...CONVERSION_CODES, cancelled: 'query.cancelled' };

const ANALYSIS_DETAILS: Record<TaskFault, string> = {
  ...CONVERSION_DETAILS,
  deadline: 'The analysis ran into its time limit. Convert the file without it.',
  cancelled: 'The analysis was cancelled.',
  crashed: 'The analysis was lost because its process ended unexpectedly. It may be tried again.',
};

const EXPORT_DETAILS: Record<TaskFault, string> = {
  deadline: 'The download ran into its time limit. Take it faster, or fewer rows at once.',
  cancelled: 'The download was cancelled.',
  memory: 'The download needs more memory than it may have. Ask for fewer columns.',
  crashed: 'The download broke off because its process ended unexpectedly. It may be tried again.',
};

/** The error that a caller gets for a fault. */
export function faultError(kind: TaskKind, fault: TaskFault): DomainError {
  if (kind === 'convert') return new DomainError(CONVERSION_CODES[fault], CONVERSION_DETAILS[fault]);
  if (kind === 'analyze') return new DomainError(ANALYSIS_CODES[fault], ANALYSIS_DETAILS[fault]);
  if (kind === 'parse') return new DomainError(QUERY_CODES[fault], PARSE_DETAILS[fault]);
  return new DomainError(QUERY_CODES[fault], (kind === 'export' ? EXPORT_DETAILS : QUERY_DETAILS)[fault]);
}
