import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;
const WAIT_MAX_MS = 30_000;

/**
 * Waits until something holds and gives it.
 *
 * @param look gives a value, or undefined while it does not hold yet
 * @throws Error naming what did not happen within 30 seconds
 */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const deadline = Date.now() + WAIT_MAX_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
  }
  throw new Error(`This did not happen within ${WAIT_MAX_MS} ms: ${what}`);
}
