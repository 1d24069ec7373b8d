import { errorFields } from '@millrace/telemetry';
import { ChildStartError } from './child-start-error.js';

/** An error as fields of a log line: nothing that it quotes, but all that a process said that did not start. */
export function loggedError(error: unknown): object {
  return { ...errorFields(error), ...(error instanceof ChildStartError && { said: error.said }) };
}
