import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;
const WAIT_MAX_MS = 30_000;

/**
 * Waits until something holds and gives it.
 *
 * @param look gives a value, or undefined while it does not hold yet
 * @param waitMaxMs how long to wait, 30 seconds when left out
 * @throws Error naming what did not happen in that time
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  waitMaxMs = WAIT_MAX_MS,
): Promise<T> {
  for (const deadline = Date.now() + waitMaxMs; Date.now() < deadline; await sleep(POLL_MS)) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
  }
  throw new Error(`This did not happen within ${waitMaxMs} ms: ${what}`);
}
