import { ProblemError } from '@millrace/contract';

/** Whether an error is an answer that tells the client to come again, and when. */
export function saysWhenToComeAgain(error: unknown): boolean {
  return error instanceof ProblemError && error.problem.retryable && error.headers.has('retry-after');
}
