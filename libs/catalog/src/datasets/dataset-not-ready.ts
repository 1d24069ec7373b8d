import { DomainError } from '@millrace/domain';
import type { Dataset } from './dataset.js';

/** `dataset.not_ready` for a dataset without a version that can be read, with the reason. */
export function datasetNotReady({ status, error }: Pick<Dataset, 'status' | 'error'>): DomainError {
  if (status === 'failed') {
    return new DomainError('dataset.not_ready', `The conversion has failed: ${error?.detail ?? 'no reason is known.'}`);
  }
  return new DomainError('dataset.not_ready', 'The dataset is still being converted. Try again in a moment.');
}
