import { DomainError } from '@millrace/domain';
import type { TaskKind } from '../tasks/task.js';
import { faultError } from './fault-error.js';

/**
 * A child that ended before it had begun with its task: nothing of it was done, and another may do it. To a caller it is a
 * crash like any other.
 */
export class UnbegunTaskError extends DomainError {
  override readonly name = 'UnbegunTaskError';

  constructor(kind: TaskKind) {
    const { code, message } = faultError(kind, 'crashed');
    super(code, message);
  }
}
