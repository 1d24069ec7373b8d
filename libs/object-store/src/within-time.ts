import { DomainError } from '@millrace/domain';

export interface TimeLimit {
  readonly limitMs: number;
  /** Ends the call early. */
  readonly signal: AbortSignal | undefined;
  /** What a call is told when its time is over; the default is `storage.unavailable`. */
  readonly overtime?: () => Error;
}

/**
 * Runs a call with a signal that is aborted when its time is over, or when another signal is. Waits until the call has
 * heeded it: what the call works on is then free. (`withDeadline` does not wait.)
 *
 * @throws what the call throws; the signal's reason when it was aborted before
 */
export async function withinTime<T>(
  { limitMs, signal, overtime = tooSlow }: TimeLimit,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  // Not `AbortSignal.any`: this runs for each chunk of a body, and the listener goes with it.
  const onAbort = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(overtime()), limitMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await call(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function tooSlow(): DomainError {
  return new DomainError('storage.unavailable', 'The object store takes too long. Try again in a moment.');
}
