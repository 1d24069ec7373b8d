import { DomainError } from '@millrace/domain';
import type { Result } from '../schema/result.entity.js';

/**
 * Why a result has no rows to give.
 *
 * @returns `result.pending`, `result.failed`, `result.expired`; undefined for one that is ready
 */
export function resultUnavailable({ status, error }: Pick<Result, 'status' | 'error'>): DomainError | undefined {
  switch (status) {
    case 'ready':
      return undefined;
    case 'processing':
      return new DomainError('result.pending', 'The result is still being stored. Try again in a moment.');
    case 'expired':
      return new DomainError('result.expired', 'The result was kept for its time and is gone. Run the query again.');
    case 'failed':
      return new DomainError(
        'result.failed',
        `The result could not be kept. ${error?.detail ?? 'Run the query again.'}`,
      );
  }
}
