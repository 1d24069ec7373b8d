import { orAborted } from './abortable.js';

/** Something outside was silent for too long. Named as the SDK names its own. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * Runs a call that ends at a deadline or with a signal, whichever comes first, even when the call itself does not
 * notice.
 *
 * @throws TimeoutError at the deadline; the signal's reason
 */
export async function withDeadline<T>(
  run: (signal: AbortSignal) => Promise<T>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(new TimeoutError(`Nothing for ${timeoutMs} ms.`)), timeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await orAborted(run(controller.signal), controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
