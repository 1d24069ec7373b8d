import type { ByteStream } from '@millrace/domain';

/**
 * The chunks of a body until a signal ends it, also while the body is silent. The body is told to end, but not waited
 * for: one that hangs must not hold up its reader.
 *
 * @throws the signal's reason
 */
export async function* abortable(body: ByteStream, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await orAborted(iterator.next(), signal);
      if (next.done === true) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    if (!ended) endBody(body, iterator);
  }
}

/**
 * A promise, or the signal's reason if that comes first. The listener goes with each call: a race against one
 * long-lived promise would keep a reaction per chunk in memory.
 */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** A stream's `return()` queues behind a read that may never end, so a Node stream is destroyed instead. */
function endBody(body: ByteStream, iterator: AsyncIterator<Uint8Array>): void {
  if ('destroy' in body && typeof body.destroy === 'function') {
    body.destroy();
    return;
  }
  void iterator.return?.().catch(() => undefined);
}
