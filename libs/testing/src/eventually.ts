import { setTimeout as sleep } from 'node:timers/promises';

/** Long for a machine that is busy with other things; what does hold is seen at once. */
const LIMIT_MS = 30_000;
const PAUSE_MS = 25;

type Falsy = false | null | undefined | 0 | '';

/**
 * Waits until something is so. What `isSo` throws is thrown on at once.
 *
 * @param what is expected, in words: what the error names
 * @param isSo gives something truthy once it is so
 * @returns what `isSo` gave
 * @throws Error when it is not so in time
 */
export async function eventually<T>(
  what: string,
  isSo: () => T | Promise<T>,
  limitMs = LIMIT_MS,
): Promise<Exclude<T, Falsy>> {
  for (const endAt = performance.now() + limitMs; ; await sleep(PAUSE_MS)) {
    const found = await isSo();
    if (found) return found as Exclude<T, Falsy>;
    if (performance.now() > endAt) throw new Error(`In ${limitMs} ms it was never so: ${what}`);
  }
}
