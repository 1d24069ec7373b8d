import type { DomainError } from '@millrace/domain';

export interface TimeLimit {
  readonly limitMs: number;
  /** What the signal says when the time is over. */
  readonly reason: () => DomainError;
  /** Ends the work earlier, with its own reason. */
  readonly signal: AbortSignal;
}

/** Runs work with a signal that is aborted when its time is over, or when another signal is. */
export async function withTimeLimit<T>(limit: TimeLimit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(limit.reason()), limit.limitMs);
  try {
    return await work(AbortSignal.any([limit.signal, timeout.signal]));
  } finally {
    clearTimeout(timer);
  }
}

/** A promise, or the signal's reason when that comes first. What the promise stands for goes on. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
