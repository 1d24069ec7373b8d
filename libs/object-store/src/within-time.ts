import { DomainError } from '@millrace/domain';

/**
 * Runs a call of the store with a signal that is aborted when its time is over, or when another signal is.
 *
 * @throws DomainError `storage.unavailable` when the call heeds the signal and its time was over
 */
export async function withinTime<T>(
  limit: { readonly limitMs: number; readonly signal: AbortSignal },
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const overtime = new AbortController();
  const timer = setTimeout(() => overtime.abort(tooSlow()), limit.limitMs);
  try {
    return await call(AbortSignal.any([limit.signal, overtime.signal]));
  } finally {
    clearTimeout(timer);
  }
}

function tooSlow(): DomainError {
  return new DomainError('storage.unavailable', 'The object store takes too long. Try again in a moment.');
}
