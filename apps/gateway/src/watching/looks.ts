import type { WakeUpCalls, WatchedId } from './wake-up-calls.js';

/** Events may be lost, and only ends have one: this often a watcher looks for itself. */
const LOOK_EVERY_MS = 1_000;

export interface LookRequest<T> {
  /** What an event about it names. */
  readonly id: WatchedId;
  readonly read: () => Promise<T>;
  /** The last look comes after so much time, or when the process is about to stop. */
  readonly forMs: number;
}

/**
 * Looks at something now, whenever there is an event for it, and in between, until its caller has seen enough.
 *
 * @throws what `read` throws
 */
export async function* looks<T>(calls: WakeUpCalls, { id, read, forMs }: LookRequest<T>): AsyncGenerator<T> {
  const endAt = performance.now() + forMs;
  for (;;) {
    const leftMs = endAt - performance.now();
    const isLast = leftMs <= 0 || calls.isClosing;
    const woken = calls.call(id, Math.min(LOOK_EVERY_MS, leftMs));
    try {
      yield await read();
      if (isLast) return;
      await woken.promise;
    } finally {
      woken.cancel();
    }
  }
}
