import { setTimeout as sleep } from 'node:timers/promises';

/** How far a jittered time lies from its middle at most, as a part of it. */
const JITTER = 0.25;

/** A time around the given one, so that many instances that started together do not beat together. */
export function jittered(ms: number): number {
  return ms * (1 + JITTER * (2 * Math.random() - 1));
}

/** Sleeps until the time is over or the signal aborts. Never throws. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** Waits for some work, but not for ever. Errors of the work count as its end. Returns whether it ended in time. */
export async function endsWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  const timer = new AbortController();
  const ended = work.then(
    () => true,
    () => true,
  );
  const tooLong = sleep(limitMs, false, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([ended, tooLong]);
  } finally {
    timer.abort();
  }
}
