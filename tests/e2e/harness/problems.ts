import { ProblemError, type Problem } from '@millrace/contract';

/** The problem that a call ends with. @throws Error when it succeeds */
export async function problemOf(call: Promise<unknown>): Promise<Problem> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
  throw new Error('The call succeeded, although it should not.');
}
