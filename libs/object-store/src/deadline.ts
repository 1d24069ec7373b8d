import { orAborted } from './abortable.js';
import { withinTime } from './within-time.js';

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
  const overtime = (): Error => new TimeoutError(`Nothing for ${timeoutMs} ms.`);
  return withinTime({ limitMs: timeoutMs, signal, overtime }, (timed) => orAborted(run(timed), timed));
}
